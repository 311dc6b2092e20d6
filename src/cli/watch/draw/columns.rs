//! The widths of a table's columns if there is not enough room.

/// Spaces between columns.
pub const GAP: usize = 2;

/// A column.
#[derive(Copy, Clone, Debug)]
pub struct Column {
    /// The width of its content.
    pub wants: usize,
    /// The minimum width to which it can be cut.
    pub least: usize,
    /// Whether it can be left out if that is not enough.
    pub may_go: bool,
    /// The order in which columns give way: smallest number first.
    pub gives_way: u8,
}

/// The width of each column within `room`; 0 for one that is left out.
///
/// Columns give way one after another: each is cut as far as possible, then left out if allowed, before the
/// next one loses anything.
pub fn widths(columns: &[Column], room: usize) -> Vec<usize> {
    let mut widths: Vec<usize> = columns.iter().map(|column| column.wants).collect();
    let mut order: Vec<usize> = (0..columns.len()).collect();
    order.sort_by_key(|place| columns[*place].gives_way);
    for place in order {
        let over = taken(&widths).saturating_sub(room);
        if over == 0 {
            break;
        }
        let Column { wants, least, may_go, .. } = columns[place];
        let (cut, least) = (wants.saturating_sub(over), least.min(wants));
        widths[place] = match cut {
            cut if cut >= least => cut,
            _ if may_go => 0,
            _ => least,
        };
    }
    widths
}

fn taken(widths: &[usize]) -> usize {
    let shown = widths.iter().filter(|width| **width > 0);
    shown.clone().sum::<usize>() + GAP * shown.count().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 3] = [
        Column { wants: 10, least: 4, may_go: false, gives_way: 2 },
        Column { wants: 8, least: 6, may_go: true, gives_way: 0 },
        Column { wants: 8, least: 6, may_go: true, gives_way: 1 },
    ];

    #[test]
    fn columns_give_way_in_their_order() {
        assert_eq!(widths(&COLUMNS, 30), [10, 8, 8]);
        assert_eq!(widths(&COLUMNS, 28), [10, 6, 8]);
        assert_eq!(widths(&COLUMNS, 27), [10, 0, 8]);
        assert_eq!(widths(&COLUMNS, 18), [10, 0, 6]);
        assert_eq!(widths(&COLUMNS, 12), [10, 0, 0]);
        assert_eq!(widths(&COLUMNS, 8), [8, 0, 0]);
        assert_eq!(widths(&COLUMNS, 2), [4, 0, 0]);
    }
}
