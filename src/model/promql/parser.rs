//! From the words of PromQL to an expression, by the precedence that Prometheus documents.

use std::ops::Range;

use super::token::{Token, tokens};
use super::{Expr, Node, Operator};

const AGGREGATES: [&str; 14] = [
    "sum",
    "min",
    "max",
    "avg",
    "group",
    "stddev",
    "stdvar",
    "count",
    "count_values",
    "bottomk",
    "topk",
    "quantile",
    "limitk",
    "limit_ratio",
];

/// How deep brackets may stand in each other.
const DEEPEST: usize = 100;

pub fn parse(text: &str) -> Result<Expr, String> {
    let mut parser = Parser { text, tokens: tokens(text)?, at: 0, depth: 0 };
    let expr = parser.binary(0)?;
    match parser.tokens.get(parser.at) {
        None => Ok(expr),
        Some(_) => Err(parser.unexpected("its end")),
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<(Token, Range<usize>)>,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(token, _)| token)
    }

    fn word(&self) -> Option<&str> {
        match self.peek() {
            Some(Token::Name(name)) => Some(name),
            _ => None,
        }
    }

    fn is_word(&self, words: &[&str]) -> bool {
        self.word().is_some_and(|word| words.iter().any(|known| known.eq_ignore_ascii_case(word)))
    }

    fn takes(&mut self, sign: char) -> bool {
        let is_there = self.peek() == Some(&Token::Sign(sign));
        self.at += usize::from(is_there);
        is_there
    }

    fn expect(&mut self, sign: char) -> Result<(), String> {
        if self.takes(sign) { Ok(()) } else { Err(self.unexpected(&format!("`{sign}`"))) }
    }

    fn unexpected(&self, expected: &str) -> String {
        match self.tokens.get(self.at) {
            Some((_, range)) => {
                format!("`{}` stands where {expected} is expected", &self.text[range.clone()])
            }
            None => format!("it ends where {expected} is expected"),
        }
    }

    /// Where the next word begins, and where the last one ended.
    fn start(&self) -> usize {
        self.tokens.get(self.at).map_or(self.text.len(), |(_, range)| range.start)
    }

    fn end(&self) -> usize {
        self.tokens[self.at - 1].1.end
    }

    /// The operator that comes next, with how tightly it binds.
    fn operator(&self) -> Option<(u8, Operator)> {
        Some(match self.peek()? {
            Token::Name(word) => match word.to_ascii_lowercase().as_str() {
                "or" => (1, Operator::Or),
                "and" => (2, Operator::And),
                "unless" => (2, Operator::Unless),
                "atan2" => (5, Operator::Other),
                _ => return None,
            },
            Token::Compare(comparison) => (3, Operator::Compare { comparison: *comparison, is_bool: false }),
            Token::Sign('+') => (4, Operator::Add),
            Token::Sign('-') => (4, Operator::Subtract),
            Token::Sign('*') => (5, Operator::Multiply),
            Token::Sign('/') => (5, Operator::Divide),
            Token::Sign('%') => (5, Operator::Other),
            Token::Sign('^') => (6, Operator::Other),
            _ => return None,
        })
    }

    fn binary(&mut self, loosest: u8) -> Result<Expr, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("it has more than {DEEPEST} levels"));
        }
        let mut left = self.unary()?;
        while let Some((tightness, mut operator)) =
            self.operator().filter(|(tightness, _)| *tightness >= loosest)
        {
            self.at += 1;
            if let Operator::Compare { is_bool, .. } = &mut operator {
                *is_bool = self.is_word(&["bool"]);
                self.at += usize::from(*is_bool);
            }
            self.matching()?;
            // A power binds to the right.
            let right = self.binary(if tightness == 6 { 6 } else { tightness + 1 })?;
            let range = left.range.start..right.range.end;
            left =
                Expr { node: Node::Binary { operator, left: Box::new(left), right: Box::new(right) }, range };
        }
        self.depth -= 1;
        Ok(left)
    }

    /// `on (instance) group_left (version)`.
    fn matching(&mut self) -> Result<(), String> {
        while self.is_word(&["on", "ignoring", "group_left", "group_right"]) {
            let has_to = self.is_word(&["on", "ignoring"]);
            self.at += 1;
            if has_to || self.peek() == Some(&Token::Sign('(')) {
                self.labels()?;
            }
        }
        Ok(())
    }

    fn labels(&mut self) -> Result<(), String> {
        self.expect('(')?;
        while !self.takes(')') {
            match self.peek() {
                Some(Token::Name(_) | Token::Text) => self.at += 1,
                _ => return Err(self.unexpected("a label")),
            }
            if !self.takes(',') && self.peek() != Some(&Token::Sign(')')) {
                return Err(self.unexpected("`)`"));
            }
        }
        Ok(())
    }

    fn unary(&mut self) -> Result<Expr, String> {
        let start = self.start();
        if self.takes('+') {
            return self.binary(6);
        }
        if self.takes('-') {
            let of = self.binary(6)?;
            let range = start..of.range.end;
            return Ok(Expr { node: Node::Negative(Box::new(of)), range });
        }
        let node = self.primary()?;
        let node = self.modified(node)?;
        Ok(Expr { node, range: start..self.end() })
    }

    fn primary(&mut self) -> Result<Node, String> {
        if self.takes('(') {
            let inner = self.binary(0)?;
            self.expect(')')?;
            return Ok(inner.node);
        }
        if self.peek() == Some(&Token::Sign('{')) {
            return self.selector(None);
        }
        let node = match self.peek() {
            Some(Token::Number(number)) => Node::Number(*number),
            Some(Token::Text) => Node::Text,
            Some(Token::Name(name)) => {
                let name = name.clone();
                self.at += 1;
                return self.named(name);
            }
            _ => return Err(self.unexpected("an expression")),
        };
        self.at += 1;
        Ok(node)
    }

    fn named(&mut self, name: String) -> Result<Node, String> {
        let lower = name.to_ascii_lowercase();
        if AGGREGATES.contains(&lower.as_str())
            && (self.is_word(&["by", "without"]) || self.peek() == Some(&Token::Sign('(')))
        {
            self.grouping()?;
            let arguments = self.arguments()?;
            self.grouping()?;
            if arguments.is_empty() {
                return Err(format!("`{name}` is given nothing"));
            }
            return Ok(Node::Aggregate { operator: lower, arguments });
        }
        if self.peek() == Some(&Token::Sign('(')) {
            return Ok(Node::Call { function: lower, arguments: self.arguments()? });
        }
        self.selector(Some(name))
    }

    fn grouping(&mut self) -> Result<(), String> {
        if !self.is_word(&["by", "without"]) {
            return Ok(());
        }
        self.at += 1;
        self.labels()
    }

    fn arguments(&mut self) -> Result<Vec<Expr>, String> {
        self.expect('(')?;
        let mut arguments = Vec::new();
        while !self.takes(')') {
            arguments.push(self.binary(0)?);
            if !self.takes(',') && self.peek() != Some(&Token::Sign(')')) {
                return Err(self.unexpected("`)`"));
            }
        }
        Ok(arguments)
    }

    fn selector(&mut self, mut metric: Option<String>) -> Result<Node, String> {
        if self.takes('{') {
            while !self.takes('}') {
                match self.peek() {
                    Some(Token::Name(_)) => {
                        self.at += 1;
                        if !matches!(self.peek(), Some(Token::Match | Token::Compare(_))) {
                            return Err(self.unexpected("a match"));
                        }
                        self.at += 1;
                        if self.peek() != Some(&Token::Text) {
                            return Err(self.unexpected("a text in quotes"));
                        }
                    }
                    // A name with characters that a bare one may not have.
                    Some(Token::Text) => {
                        let range = self.tokens[self.at].1.clone();
                        metric = metric.or(Some(self.text[range.start + 1..range.end - 1].to_owned()));
                    }
                    _ => return Err(self.unexpected("a label")),
                }
                self.at += 1;
                if !self.takes(',') && self.peek() != Some(&Token::Sign('}')) {
                    return Err(self.unexpected("`}`"));
                }
            }
        }
        Ok(Node::Selector { metric })
    }

    /// A range or a subquery, `offset 5m`, `@ end()`: of another time, and of the same values.
    fn modified(&mut self, node: Node) -> Result<Node, String> {
        loop {
            if self.takes('[') {
                while !self.takes(']') {
                    match self.peek() {
                        Some(Token::Duration | Token::Number(_) | Token::Sign(':')) => self.at += 1,
                        _ => return Err(self.unexpected("`]`")),
                    }
                }
            } else if self.is_word(&["offset"]) {
                self.at += 1;
                self.takes('-');
                match self.peek() {
                    Some(Token::Duration | Token::Number(_)) => self.at += 1,
                    _ => return Err(self.unexpected("a duration")),
                }
            } else if self.takes('@') {
                self.takes('-');
                if self.is_word(&["start", "end"]) {
                    self.at += 1;
                    self.expect('(')?;
                    self.expect(')')?;
                } else if let Some(Token::Number(_)) = self.peek() {
                    self.at += 1;
                } else {
                    return Err(self.unexpected("a time"));
                }
            } else {
                return Ok(node);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In brackets, as it was understood.
    fn read(text: &str) -> String {
        fn told(expr: &Expr) -> String {
            let list = |exprs: &[Expr]| exprs.iter().map(told).collect::<Vec<_>>().join(" ");
            match &expr.node {
                Node::Number(number) => number.to_string(),
                Node::Text => "text".to_owned(),
                Node::Selector { metric } => metric.clone().unwrap_or("{}".to_owned()),
                Node::Call { function: name, arguments } | Node::Aggregate { operator: name, arguments } => {
                    format!("{name}[{}]", list(arguments))
                }
                Node::Negative(of) => format!("-{}", told(of)),
                Node::Binary { operator, left, right } => {
                    let sign = match operator {
                        Operator::Compare { comparison, is_bool } => {
                            format!("{comparison:?}{}", if *is_bool { " bool" } else { "" })
                        }
                        other => format!("{other:?}"),
                    };
                    format!("({} {sign} {})", told(left), told(right))
                }
            }
        }
        parse(text).map_or_else(|error| format!("error: {error}"), |expr| told(&expr))
    }

    #[test]
    fn operators_bind_as_prometheus_documents_it() {
        for (text, understood) in [
            ("a or b and c == d + e * f ^ g", "(a Or (b And (c Equal (d Add (e Multiply (f Other g))))))"),
            ("a - b - c", "((a Subtract b) Subtract c)"),
            ("a ^ b ^ c", "(a Other (b Other c))"),
            ("-a ^ 2 * 3", "(-(a Other 2) Multiply 3)"),
            ("(a or b) and c", "((a Or b) And c)"),
            ("a > bool on (x, y) group_left (z) b", "(a Greater bool b)"),
            ("a unless ignoring (x) b", "(a Unless b)"),
            ("A AND b OR c", "((A And b) Or c)"),
        ] {
            assert_eq!(read(text), understood, "{text}");
        }
    }

    #[test]
    fn selectors_functions_and_aggregates_are_read_in_every_form() {
        for (text, understood) in [
            ("sum by (a, b) (rate(x{c=\"d\",e=~'f.*',}[5m]))", "sum[rate[x]]"),
            ("sum(x) without (a)", "sum[x]"),
            ("topk(3, x)", "topk[3 x]"),
            ("count", "count"),
            ("{__name__=\"x\"} == 1e3", "({} Equal 1000)"),
            ("{\"a.b\", c!=\"d\"}", "a.b"),
            ("max_over_time(rate(x[5m])[1h30m:1m] offset -1d)", "max_over_time[rate[x]]"),
            ("x @ 1609746000 offset 5m < 0x1F", "(x Less 31)"),
            ("job:errors:rate5m > .5 # why\n", "(job:errors:rate5m Greater 0.5)"),
            ("count_values(\"a\\\"b\", x)", "count_values[text x]"),
            ("time()", "time[]"),
            ("+Inf", "inf"),
        ] {
            assert_eq!(read(text), understood, "{text}");
        }
    }

    #[test]
    fn what_is_no_expression_is_refused_with_its_place() {
        for (text, said) in [
            ("", "error: it ends where an expression is expected"),
            ("sum(up", "error: it ends where `)` is expected"),
            ("up == ", "error: it ends where an expression is expected"),
            ("up up", "error: `up` stands where its end is expected"),
            ("up{job}", "error: `}` stands where a match is expected"),
            ("up{job=\"a}", "error: `\"a}` cannot be read"),
            ("sum()", "error: `sum` is given nothing"),
            ("x[5q]", "error: `5q]` cannot be read"),
            ("ü", "error: `ü` cannot be read"),
        ] {
            assert_eq!(read(text), said, "{text}");
        }
        assert_eq!(read(&"(".repeat(5000)), "error: it has more than 100 levels");
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_fall_over(text in "[a-z0-9(){}\\[\\],.:@+*/%^<>=!~'\"` -]{0,60}") {
            let _ = parse(&text);
        }
    }
}
