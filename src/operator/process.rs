//! Process metrics from the kernel, under the names that every Prometheus client uses.

use std::fmt::{self, Write};
use std::fs;

use crate::report::metrics::text::Metric;

/// The kernel reports times to user space in hundredths of a second, on every architecture (`USER_HZ`,
/// `include/asm-generic/param.h`).
const TICKS_PER_SECOND: f64 = 100.0;

/// The process metrics.
#[derive(Copy, Clone, PartialEq, Debug, Default)]
pub struct Process {
    /// CPU time used, in seconds.
    pub cpu_seconds: f64,
    /// Resident memory, in bytes.
    pub resident_bytes: u64,
    /// Virtual memory, in bytes.
    pub virtual_bytes: u64,
    /// Open file descriptors.
    pub open_fds: u64,
    /// Maximum number of open file descriptors.
    pub max_fds: u64,
    /// Number of threads.
    pub threads: u64,
    /// Start time, in seconds since the Unix epoch.
    pub started_seconds: f64,
}

impl Process {
    /// Reads them now; `None` where there is no Linux `/proc`.
    pub fn read() -> Option<Self> {
        let text = |path| fs::read_to_string(path).ok();
        let mut process = parse(&text("/proc/self/stat")?, &text("/proc/self/status")?, &text("/proc/stat")?)?;
        // The directory being read is one of them.
        process.open_fds = (fs::read_dir("/proc/self/fd").ok()?.count() as u64).saturating_sub(1);
        process.max_fds = max_fds(&text("/proc/self/limits")?)?;
        Some(process)
    }

    /// Writes them as metrics.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, out: &mut impl Write) -> fmt::Result {
        let counter = Metric::counter;
        let gauge = Metric::gauge;
        counter("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.")
            .single(self.cpu_seconds, out)?;
        gauge("process_resident_memory_bytes", "Resident memory size in bytes.").single(self.resident_bytes, out)?;
        gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.").single(self.virtual_bytes, out)?;
        gauge("process_open_fds", "Number of open file descriptors.").single(self.open_fds, out)?;
        gauge("process_max_fds", "Maximum number of open file descriptors.").single(self.max_fds, out)?;
        gauge("process_threads", "Number of OS threads in the process.").single(self.threads, out)?;
        gauge("process_start_time_seconds", "Start time of the process since unix epoch in seconds.")
            .single(self.started_seconds, out)
    }
}

/// Reads `/proc/self/stat`, `/proc/self/status` and `/proc/stat` (`proc(5)`).
fn parse(own: &str, status: &str, machine: &str) -> Option<Process> {
    // The second field is the program's name in parentheses, and may contain anything, including spaces.
    let fields: Vec<&str> = own.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field - 3)?.parse::<u64>().ok().map(|ticks| ticks as f64);
    let kibibytes = |key: &str| after(status, key)?.strip_suffix("kB")?.trim().parse::<u64>().ok();
    let booted: f64 = after(machine, "btime ")?.parse().ok()?;
    Some(Process {
        cpu_seconds: (ticks(14)? + ticks(15)?) / TICKS_PER_SECOND,
        resident_bytes: kibibytes("VmRSS:")? * 1024,
        virtual_bytes: kibibytes("VmSize:")? * 1024,
        threads: after(status, "Threads:")?.parse().ok()?,
        started_seconds: booted + ticks(22)? / TICKS_PER_SECOND,
        ..Process::default()
    })
}

/// The soft limit; `unlimited` becomes the largest value that fits.
fn max_fds(limits: &str) -> Option<u64> {
    let soft = after(limits, "Max open files")?.split_whitespace().next()?;
    if soft == "unlimited" { Some(u64::MAX) } else { soft.parse().ok() }
}

/// The rest of the line that begins with a word.
fn after<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(word)).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_says_is_read_whatever_the_program_is_called() {
        let own = "42 (a) b) S 1 42 42 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 3 0 12345 1000 10 1844 1 1 0";
        let status = "Name:\ta\nVmSize:\t   20480 kB\nVmRSS:\t    1024 kB\nThreads:\t3\n";
        let process = parse(own, status, "cpu 1\nbtime 1700000000\n").expect("all is there");
        assert_eq!(process.cpu_seconds.to_string(), "3");
        assert_eq!((process.resident_bytes, process.virtual_bytes, process.threads), (1 << 20, 20 << 20, 3));
        assert_eq!(process.started_seconds.to_string(), "1700000123.45");
    }

    #[test]
    fn the_limit_of_file_descriptors_may_be_none() {
        assert_eq!(max_fds("Limit  Soft\nMax open files            1024        524288       files\n"), Some(1024));
        assert_eq!(max_fds("Max open files   unlimited  unlimited files\n"), Some(u64::MAX));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_a_size() {
        let process = Process::read().expect("there is a /proc");
        assert!(process.resident_bytes > 1 << 20 && process.threads > 0 && process.open_fds > 2);
        assert!(process.max_fds >= process.open_fds && process.started_seconds > 1.6e9);
    }
}
