//! Tables. Every cell is made harmless on its way in, so that no command can forget to.

use comfy_table::{ContentArrangement, LineStyle, Table, TableStyle};

use crate::text::plain;

/// A line above, below and under the header: rows of one line need none between them.
const STYLE: TableStyle = TableStyle::new()
    .top_border(LineStyle::none().fill('─').junction('─'))
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .bottom_border(LineStyle::none().fill('─').junction('─'));

/// The widest a table gets without a terminal to fit into: it is for a file or another program then.
const NO_TERMINAL: u16 = u16::MAX;

/// A table in the making.
pub(crate) struct Grid {
    table: Table,
    rows: usize,
}

/// What is put into a cell.
pub(crate) struct Cell(String);

impl Grid {
    /// A table with this header.
    pub(crate) fn new<const N: usize>(header: [&str; N]) -> Self {
        let mut table = Table::new();
        table.load_style(STYLE);
        table.set_header(header);
        Self { table, rows: 0 }
    }

    /// A table of names and values, without a header.
    pub(crate) fn of_facts() -> Self {
        let mut table = Table::new();
        table.load_style(STYLE);
        Self { table, rows: 0 }
    }

    /// Adds a row.
    pub(crate) fn row<const N: usize>(&mut self, cells: [Cell; N]) {
        self.table.add_row(cells.map(|cell| cell.0));
        self.rows += 1;
    }

    /// Whether there is no row.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The table, no wider than the terminal.
    pub(crate) fn draw(mut self, width: Option<u16>) -> String {
        if let Some(width) = width {
            self.table.set_content_arrangement(ContentArrangement::Dynamic);
            self.table.set_width(width);
        } else {
            self.table.set_width(NO_TERMINAL);
        }
        self.table.trim_fmt()
    }
}

impl Cell {
    /// Several lines.
    pub(crate) fn lines<T: AsRef<str>>(lines: impl IntoIterator<Item = T>) -> Self {
        Self(lines.into_iter().map(|line| plain(line.as_ref())).collect::<Vec<_>>().join("\n"))
    }
}

impl<T: ToString> From<T> for Cell {
    fn from(value: T) -> Self {
        Self(plain(&value.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_reaches_the_terminal_as_a_command() {
        let mut grid = Grid::new(["who"]);
        grid.row(["\u{1b}]0;title\u{7}x".into()]);
        grid.row([Cell::lines(["one\u{1b}[1A", "two"])]);
        let drawn = grid.draw(None);
        assert!(!drawn.contains('\u{1b}') && !drawn.contains('\u{7}'), "{drawn}");
        assert!(drawn.contains("\\u{1b}"));
    }

    #[test]
    fn wide_characters_are_counted_as_wide() {
        let mut grid = Grid::new(["name", "x"]);
        grid.row(["李小龍".into(), "1".into()]);
        grid.row(["abcdef".into(), "2".into()]);
        let drawn = grid.draw(Some(40));
        let columns: Vec<usize> =
            drawn.lines().filter_map(|line| line.find(['1', '2']).map(|at| width(&line[..at]))).collect();
        assert_eq!(columns[0], columns[1], "{drawn}");
    }

    fn width(text: &str) -> usize {
        text.chars().map(|c| if ('\u{3000}'..'\u{a000}').contains(&c) { 2 } else { 1 }).sum()
    }
}
