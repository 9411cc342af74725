//! A small table: a bold header, columns as wide as their widest cell, nothing wrapped and nothing cut.

use unicode_width::UnicodeWidthStr;

use super::paint::{Ink, visible};

#[derive(Debug, Clone)]
pub struct Table {
    header: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

#[derive(Debug, Clone)]
pub struct Cell {
    ink: Ink,
    text: String,
}

impl Cell {
    pub fn new(ink: Ink, text: impl Into<String>) -> Cell {
        // A cell is one line.
        let text = visible(&text.into()).split_whitespace().collect::<Vec<_>>().join(" ");
        Cell { ink, text }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        Cell::new(Ink::Plain, text)
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell::new(Ink::Plain, text)
    }
}

impl Table {
    /// With the names of the columns; without any, the table has no header line.
    pub fn new(header: &[&'static str]) -> Table {
        Table { header: header.to_vec(), rows: Vec::new() }
    }

    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The lines, painted, without newlines.
    pub fn lines(&self) -> Vec<String> {
        let header: Vec<Cell> = self.header.iter().map(|name| Cell::new(Ink::Bold, *name)).collect();
        let rows: Vec<&[Cell]> = [header.as_slice()]
            .into_iter()
            .filter(|header| !header.is_empty())
            .chain(self.rows.iter().map(Vec::as_slice))
            .collect();
        let columns = rows.iter().map(|row| row.len()).max().unwrap_or(0);
        let width = |column| rows.iter().filter_map(|row: &&[Cell]| row.get(column)).map(Cell::width).max();
        let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
        rows.iter().map(|row| line(row, &widths)).collect()
    }

    /// The whole table, painted.
    pub fn text(&self) -> String {
        self.lines().iter().map(|line| format!("{line}\n")).collect()
    }
}

impl Cell {
    fn width(&self) -> usize {
        self.text.width()
    }
}

fn line(row: &[Cell], widths: &[usize]) -> String {
    let mut line = String::new();
    // The spaces before the next cell are only written when there is one.
    let mut pending = 0;
    for (cell, width) in row.iter().zip(widths) {
        if !cell.text.is_empty() {
            line.push_str(&" ".repeat(pending));
            line.push_str(&cell.ink.on(&cell.text));
            pending = 0;
        }
        pending += width - if cell.text.is_empty() { 0 } else { cell.width() } + 2;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::look::Look;

    #[test]
    fn columns_stay_aligned_with_wide_characters_empty_cells_and_colour() {
        let mut table = Table::new(&["NAME", "STATE", "NOTE"]);
        table.row(["argus-1".into(), Cell::new(Ink::Good, "✔ healthy"), "a\nb".into()]);
        table.row(["データ".into(), "".into(), "wide".into()]);
        table.row(["x".into(), "short".into()]);
        insta::assert_snapshot!(Look::PLAIN.fit(&table.text()), @r"
        NAME     STATE      NOTE
        argus-1  ✔ healthy  a b
        データ              wide
        x        short
        ");
    }

    #[test]
    fn no_line_ends_in_spaces() {
        let mut table = Table::new(&["A", "B"]);
        table.row(["long cell".into(), "".into()]);
        assert!(table.lines().iter().all(|line| !Look::PLAIN.fit(line).ends_with(' ')));
    }
}
