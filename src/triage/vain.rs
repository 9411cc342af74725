//! Alert rules that can never fire.
//!
//! An alert fires for every series that its expression gives. Without any there is nothing to fire for, however bad things are: `count(up
//! == 1) == 0` gives nothing at all when nothing is up, since nothing was counted, and a count of nothing is nothing, and not zero. So
//! each part of an expression is followed with the lowest and the highest value that it can have. A comparison that holds for none of them
//! gives nothing, ever.

use crate::model::promql::{Comparison, Expr, Node, Operator};

/// The values that an expression can have, where it has any.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Values {
    low: f64,
    high: f64,
}

/// Why an expression never gives anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vain {
    pub why: String,
    /// What would have been meant.
    pub mend: Option<String>,
}

const ANY: Values = Values { low: f64::NEG_INFINITY, high: f64::INFINITY };
const COUNTED: Values = Values { low: 1.0, ..ANY };
const NOT_NEGATIVE: Values = Values { low: 0.0, ..ANY };

/// Why it can never fire; nothing when it may.
pub fn vain(expr: &Expr, text: &str) -> Option<Vain> {
    Reader { text }.values(expr).err()
}

struct Reader<'a> {
    text: &'a str,
}

impl Reader<'_> {
    fn values(&self, expr: &Expr) -> Result<Values, Vain> {
        match &expr.node {
            Node::Number(number) => Ok(Values::only(*number)),
            Node::Text => Ok(ANY),
            // Prometheus writes it itself: whether it got an answer.
            Node::Selector { metric: Some(name) } if name == "up" => Ok(Values { low: 0.0, high: 1.0 }),
            Node::Selector { .. } => Ok(ANY),
            Node::Negative(of) => self.values(of).map(Values::negative),
            Node::Aggregate { operator, arguments } => {
                let of = self.values(&arguments[arguments.len() - 1])?;
                Ok(of.together(operator))
            }
            Node::Call { function, arguments } => self.of_call(function, arguments),
            Node::Binary { operator, left, right } => self.of_two(expr, *operator, left, right),
        }
    }

    fn of_call(&self, function: &str, arguments: &[Expr]) -> Result<Values, Vain> {
        // These give something for nothing.
        match (function, arguments.first().map(|argument| &argument.node)) {
            ("absent" | "absent_over_time", _) => return Ok(Values::only(1.0)),
            ("vector", Some(Node::Number(number))) => return Ok(Values::only(*number)),
            ("vector" | "scalar", _) => return Ok(ANY),
            _ => {}
        }
        // Whatever else there is does not.
        let given = arguments.iter().map(|argument| self.values(argument)).collect::<Result<Vec<_>, _>>()?;
        Ok(match function {
            "count_over_time" | "present_over_time" => COUNTED,
            "rate" | "irate" | "increase" | "changes" | "resets" | "abs" | "sqrt" | "exp"
            | "stddev_over_time" | "stdvar_over_time" => NOT_NEGATIVE,
            "min_over_time" | "max_over_time" | "avg_over_time" | "last_over_time" | "sort" | "sort_desc"
            | "label_replace" | "label_join" => given.first().copied().unwrap_or(ANY),
            _ => ANY,
        })
    }

    fn of_two(&self, whole: &Expr, operator: Operator, left: &Expr, right: &Expr) -> Result<Values, Vain> {
        if operator == Operator::Or {
            return match (self.values(left), self.values(right)) {
                (Ok(left), Ok(right)) => Ok(left.or(right)),
                // The first says more of what its author had in mind.
                (Err(left), Err(_)) => Err(left),
                (Ok(one), Err(_)) | (Err(_), Ok(one)) => Ok(one),
            };
        }
        let of_left = self.values(left)?;
        if operator == Operator::Unless {
            return Ok(of_left);
        }
        let of_right = self.values(right)?;
        Ok(match operator {
            Operator::And => of_left,
            Operator::Compare { is_bool: true, .. } => Values { low: 0.0, high: 1.0 },
            Operator::Compare { comparison, .. } => of_left
                .where_it_holds(comparison, of_right)
                .ok_or_else(|| self.never(whole, left, (of_left, comparison), right, of_right))?,
            Operator::Add => of_left.plus(of_right),
            Operator::Subtract => of_left.plus(of_right.negative()),
            Operator::Multiply => of_left.times(of_right),
            Operator::Divide if of_right.low == of_right.high && of_right.low != 0.0 => {
                of_left.times(Values::only(1.0 / of_right.low))
            }
            _ => ANY,
        })
    }

    /// Why a comparison never holds, told of the side that is not just a number.
    fn never(
        &self,
        whole: &Expr,
        left: &Expr,
        (of_left, comparison): (Values, Comparison),
        right: &Expr,
        of_right: Values,
    ) -> Vain {
        let (what, values) = match left.node {
            Node::Number(_) => (right, of_right),
            _ => (left, of_left),
        };
        let (what, whole) = (what.text(self.text), whole.text(self.text));
        let bounds = match values {
            Values { low, high } if low == high => format!("is {low}"),
            Values { low, high } if low.is_finite() && high.is_finite() => {
                format!("is from {low} to {high}")
            }
            Values { low, .. } if low.is_finite() => format!("is at least {low}"),
            Values { high, .. } => format!("is at most {high}"),
        };
        // Where a zero would have done, it was meant to be there for nothing.
        let rest = whole.strip_prefix(what).filter(|_| {
            of_left.low > 0.0 && Values::only(0.0).where_it_holds(comparison, of_right).is_some()
        });
        Vain {
            why: format!("`{what}` {bounds}, or is not there at all, so `{whole}` holds for nothing"),
            mend: rest.map(|rest| format!("({what} or vector(0)){rest}")),
        }
    }
}

impl Values {
    fn only(value: f64) -> Values {
        Values::between(value, value)
    }

    /// Infinitely much of nothing, and what is no number, may be anything.
    fn between(low: f64, high: f64) -> Values {
        if low.is_nan() || high.is_nan() { ANY } else { Values { low, high } }
    }

    fn negative(self) -> Values {
        Values { low: -self.high, high: -self.low }
    }

    /// What an aggregate makes of one or more of these.
    fn together(self, operator: &str) -> Values {
        match operator {
            "count" | "count_values" => COUNTED,
            "group" => Values::only(1.0),
            "sum" if self.low >= 0.0 => Values { low: self.low, ..ANY },
            "sum" if self.high <= 0.0 => Values { high: self.high, ..ANY },
            "stddev" | "stdvar" => NOT_NEGATIVE,
            "min" | "max" | "avg" | "topk" | "bottomk" | "limitk" | "limit_ratio" => self,
            _ => ANY,
        }
    }

    fn or(self, other: Values) -> Values {
        Values { low: self.low.min(other.low), high: self.high.max(other.high) }
    }

    fn plus(self, other: Values) -> Values {
        Values::between(self.low + other.low, self.high + other.high)
    }

    fn times(self, other: Values) -> Values {
        let products =
            [self.low * other.low, self.low * other.high, self.high * other.low, self.high * other.high];
        let worst = |pick: fn(f64, f64) -> f64| {
            products
                .into_iter()
                .reduce(|a, b| if a.is_nan() || b.is_nan() { f64::NAN } else { pick(a, b) })
                .unwrap_or(f64::NAN)
        };
        Values::between(worst(f64::min), worst(f64::max))
    }

    /// Those of these values for which the comparison can hold. What is not a number equals nothing, not even itself, and is only ever
    /// told from a number by `!=`.
    fn where_it_holds(self, comparison: Comparison, other: Values) -> Option<Values> {
        let (low, high, is_possible) = match comparison {
            Comparison::Equal => {
                let (low, high) = (self.low.max(other.low), self.high.min(other.high));
                (low, high, low <= high)
            }
            Comparison::NotEqual => {
                let is_one = |values: Values| values.low == values.high;
                (self.low, self.high, !(is_one(self) && is_one(other) && self.low == other.low))
            }
            Comparison::Greater => (self.low.max(other.low), self.high, self.high > other.low),
            Comparison::GreaterOrEqual => (self.low.max(other.low), self.high, self.high >= other.low),
            Comparison::Less => (self.low, self.high.min(other.high), self.low < other.high),
            Comparison::LessOrEqual => (self.low, self.high.min(other.high), self.low <= other.high),
        };
        is_possible.then_some(Values { low, high })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<Vain> {
        vain(&Expr::parse(text).unwrap_or_else(|error| panic!("{text}: {error}")), text)
    }

    #[test]
    fn what_counts_nothing_is_never_zero() {
        let vain = of("count(up == 1) == 0").unwrap();
        assert_eq!(
            vain.why,
            "`count(up == 1)` is at least 1, or is not there at all, so `count(up == 1) == 0` holds for nothing"
        );
        assert_eq!(vain.mend.as_deref(), Some("(count(up == 1) or vector(0)) == 0"));
    }

    #[test]
    fn a_comparison_that_holds_for_no_value_is_found_wherever_it_stands() {
        let vain = [
            "count(x) < 1",
            "count by (service) (up{job=\"a\"} == 1) <= 0",
            "sum(up == 1) == 0",
            "sum by (service) (up{job='a'} == 1) < 1",
            "0 == count(x)",
            "0 > rate(errors[5m])",
            "absent(up) == 0",
            "group(x) > 1",
            "up > 1",
            "max(up) == 2",
            "100 * sum(up == 1) == 0",
            "count(x) == 0 and on (service) y > 5",
            "y > 5 and count(x) == 0",
            "count(x) == 0 or count(y) == 0",
            "rate(errors_total[5m]) < 0",
            "(x > 10) < 5",
            "sum(count(x) == 0) by (a) > 0",
            "label_replace(up, \"a\", \"b\", \"c\", \"d\") > 1",
            "-count(x) > 0",
            "vector(0) == 1",
        ];
        vain.iter().for_each(|text| assert!(of(text).is_some(), "{text} may fire"));
    }

    #[test]
    fn what_may_hold_one_day_is_let_be() {
        let sound = [
            "up == 0",
            "sum(up) == 0",
            "sum by (service) (up{service!=\"\"}) == 0 or sum by (service) (opareta_healthy) == 0",
            "count(sum by (service) (up{service!=\"\"}) == 0) >= 2",
            "(count(up == 1) or vector(0)) == 0",
            "absent(up{job=\"node\"})",
            "absent(count(up == 1))",
            "count(x) == 0 or y > 5",
            "y > 5 unless count(x) == 0",
            "count(x) == bool 0",
            "node_filesystem_avail_bytes / node_filesystem_size_bytes * 100 < 15",
            "(1 - avail / size) * 100 > 85",
            "histogram_quantile(0.95, sum(rate(d_bucket[5m])) by (le)) > 1",
            "increase(restarts[15m]) > 3",
            "predict_linear(free[6h], 24 * 3600) < 0",
            "rate(a[5m]) / rate(b[5m]) > 0.05 and rate(b[5m]) > 1",
            "time() - last_success > 86400",
            "scalar(count(up == 1)) == vector(0)",
            "x == x",
            "x > Inf - Inf",
            "max_over_time(up[5m:1m] offset 1h) == 0",
            "deriv(x[5m] @ end()) < 0",
            "count(up == 1) < 2",
        ];
        sound.iter().for_each(|text| assert_eq!(of(text), None, "{text}"));
    }
}
