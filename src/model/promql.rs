//! PromQL, the language of alert rules, as far as it has to be read to say what a rule can give.
//!
//! A reader of our own; `docs/dependencies.md` says why.

use std::ops::Range;

pub use token::Comparison;

mod parser;
mod token;

/// An expression, and where it stands in its text.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    pub node: Node,
    pub range: Range<usize>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    Number(f64),
    Text,
    /// A metric by its name, which may stand among its labels; with a range in brackets or without.
    Selector {
        metric: Option<String>,
    },
    /// A function, such as `rate`.
    Call {
        function: String,
        arguments: Vec<Expr>,
    },
    /// What makes one series of many, such as `sum by (service)`. Its last argument is what it is made of.
    Aggregate {
        operator: String,
        arguments: Vec<Expr>,
    },
    Negative(Box<Expr>),
    Binary {
        operator: Operator,
        left: Box<Expr>,
        right: Box<Expr>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    Or,
    And,
    Unless,
    /// With `bool` it gives 0 or 1; without, it lets through what it holds for.
    Compare {
        comparison: Comparison,
        is_bool: bool,
    },
    Add,
    Subtract,
    Multiply,
    Divide,
    /// `%`, `^`, `atan2`.
    Other,
}

impl Expr {
    /// # Errors
    /// In words, with the place in the text.
    pub fn parse(text: &str) -> Result<Expr, String> {
        parser::parse(text)
    }

    /// As it was written.
    pub fn text<'a>(&self, text: &'a str) -> &'a str {
        text[self.range.clone()].trim()
    }
}
