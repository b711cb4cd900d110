//! The figures as tables.

use comfy_table::Table;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;

use super::{Figures, Phase};
use crate::say;

pub(super) fn print(figures: &Figures) {
    say::line(format_args!("accounts made: {:.0}/s, which is the emulator's speed\n", figures.accounts_made_per_s));
    let header = ["phase", "sent", "lost", "twice", "parked", "unsealed", "calls (expected)", "pages"];
    let mut table = table(header);
    for Phase { name, tally, calls, pages, .. } in &figures.phases {
        let counts = [tally.sent, tally.lost, tally.twice, tally.parked, tally.unsealed].map(|count| count.to_string());
        let [sent, lost, twice, parked, unsealed] = counts;
        let calls = calls.map_or("-".to_owned(), |(made, expected)| format!("{made} ({expected})"));
        let pages = pages.map_or("-".to_owned(), |pages| pages.to_string());
        table.add_row([name.clone(), sent, lost, twice, parked, unsealed, calls, pages]);
    }
    say::line(table);

    let header = ["ms from PutEvents", "enforced p50", "p99", "max", "sealed p50", "p99", "max", "took s", "drained s"];
    let mut table = self::table(header);
    for Phase { name, tally, took_s, drained_s, .. } in &figures.phases {
        let [e50, e99, most] = tally.enforced_ms.map(|ms| ms.to_string());
        let [s50, s99, s_most] = tally.sealed_ms.map(|ms| ms.to_string());
        let (took, drained) = (format!("{took_s:.1}"), format!("{drained_s:.1}"));
        table.add_row([name.clone(), e50, e99, most, s50, s99, s_most, took, drained]);
    }
    say::line(table);

    let header = ["cores used", "of", "emulator", "functions", "sender", "machine", "functions' RSS peak", "processes"];
    let mut table = self::table(header);
    for Phase { name, usage, .. } in &figures.phases {
        let used = [usage.emulator, usage.functions, usage.sender, usage.machine].map(|cores| format!("{cores:.2}"));
        let [emulator, functions, sender, machine] = used;
        let rss = format!("{} MiB", usage.peak_rss_kib / 1_024);
        let (of, processes) = (usage.cores.to_string(), usage.peak_processes.to_string());
        table.add_row([name.clone(), of, emulator, functions, sender, machine, rss, processes]);
    }
    say::line(table);

    for Phase { name, api, .. } in &figures.phases {
        let Some(api) = api else { continue };
        let [median, p99, most] = api.ms;
        say::line(format_args!(
            "{name}: {:.0} requests/s; {median:.1} ms at the median, {p99:.1} at p99, {most:.1} at most; by status {:?}",
            api.per_s, api.statuses
        ));
    }
    say::line(
        "The emulator is one Python process: at about one core it is the limit. None of this is a figure of AWS.",
    );
}

fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header(header);
    table
}
