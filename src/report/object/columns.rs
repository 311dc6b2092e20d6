//! What `kubectl get findings` shows.

/// A column.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Column {
    /// Its header, which `kubectl` writes in capital letters.
    pub name: &'static str,
    /// The type of its cells, in the API's words.
    pub of_type: &'static str,
    /// Where in the object its cells are.
    pub path: &'static str,
    /// Whether only `-o wide` shows it.
    pub is_wide: bool,
}

/// All columns besides namespace and name, in their order. Without the wide ones an ordinary finding
/// fits 120 columns of a terminal.
pub const COLUMNS: [Column; 18] = [
    column("Cause", "string", ".status.cause"),
    column("Current", "string", ".status.current"),
    column("Suggested", "string", ".status.suggested"),
    column("Pods", "string", ".status.affected"),
    column("State", "string", ".status.state"),
    column("Age", "date", ".status.openedAt"),
    wide("Workload", "string", ".status.workload"),
    wide("Field", "string", ".status.field"),
    wide("Restarts", "integer", ".status.restarts"),
    wide("Severity", "string", ".status.severity"),
    wide("Container", "string", ".spec.container"),
    wide("Effect", "string", ".spec.effect"),
    wide("Probe", "string", ".spec.probe"),
    wide("Confidence", "string", ".status.confidence"),
    wide("Revision", "integer", ".status.revision"),
    wide("Silenced", "string", ".status.silencedBy"),
    wide("Annotation", "string", ".status.silencedByAnnotation"),
    wide("Summary", "string", ".status.summary"),
];

const fn column(name: &'static str, of_type: &'static str, path: &'static str) -> Column {
    Column { name, of_type, path, is_wide: false }
}

const fn wide(name: &'static str, of_type: &'static str, path: &'static str) -> Column {
    Column { name, of_type, path, is_wide: true }
}
