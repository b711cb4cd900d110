//! The tables of `bench authorizer`: ratios first.

use super::super::table;
use super::cost::{self, PRICES_OF, STORE_MS};
use super::plan::{NODE, Placement, Warm};
use super::targets::{Standing, mb};
use super::{Figures, SHARE};
use crate::say;

pub(super) fn print(figures: &Figures) {
    let machine = &figures.machine;
    say::line(format_args!(
        "{}, {} cores, load {} when it began. {}.",
        machine.cpu, machine.cores, machine.load, figures.peer
    ));
    if figures.quick {
        say::line("A quick run: for a look, not to quote.");
    }
    say::line("");
    targets(figures);
    warm("warm, store over TLS (µs)", &figures.warm);
    if let (Some(verify), Some(sum)) = (figures.verify_us, figures.floor_us()) {
        say::line(format_args!("Verification alone {verify:.1} µs; with both floors above {sum:.1} µs."));
    }
    let placement = match figures.placement {
        Placement::Together => "Harness and instance share a core, so a time is what both of them did",
        Placement::Apart => "The harness has a core of its own, so that a time has the waking of cores in it",
    };
    say::line(format_args!(
        "{placement}. CPU is the instance's own. p50 of blocks: the least and the greatest of the run, the noise.\n"
    ));
    warm("warm, store over TLS, which takes 1 ms (µs)", &figures.warm_1ms);
    say::line("");
    warm("warm, store without TLS (µs)", &figures.warm_plain);
    say::line("");
    cold(figures);
    throughput(figures);
    sizes(figures);
    costs(figures);
}

fn targets(figures: &Figures) {
    let mut table = table(["ours", "is", "must", "stretch", "met"]);
    for target in &figures.targets {
        let sign = if target.more_is_better { "≥" } else { "≤" };
        let must = if target.must.is_finite() { format!("{sign} {}", target.must) } else { "-".to_owned() };
        let met = match target.standing() {
            Standing::Missed => "MISSED",
            Standing::Must if target.must.is_finite() => "must",
            Standing::Must => "no",
            Standing::Stretch => "stretch",
        };
        let stretch = format!("{sign} {}", target.stretch);
        table.add_row([target.name.to_owned(), digits(target.value), must, stretch, met.to_owned()]);
    }
    say::line(table);
    say::line("");
}

fn warm(title: &str, measured: &[Warm]) {
    let mut table = table([title, "p50 / Node", "min", "p50", "p99", "p50 of blocks", "CPU / Node", "CPU", "reads"]);
    let node = measured.iter().find(|warm| warm.name == NODE);
    for warm in measured {
        let time = &warm.time;
        let ratio = node.map_or(f64::NAN, |node| time.p50_us / node.time.p50_us);
        let cpu_ratio = warm.cpu_us.zip(node.and_then(|node| node.cpu_us)).map(|(cpu, node)| cpu / node);
        let [least, most] = warm.block_p50_us;
        table.add_row([
            warm.name.clone(),
            digits(ratio),
            format!("{:.0}", time.min_us),
            format!("{:.0}", time.p50_us),
            format!("{:.0}", time.p99_us),
            format!("{least:.0}–{most:.0}"),
            cpu_ratio.map_or("-".to_owned(), digits),
            warm.cpu_us.map_or("-".to_owned(), |cpu| format!("{cpu:.0}")),
            format!("{}", warm.reads_per_invocation),
        ]);
    }
    say::line(table);
}

fn cold(figures: &Figures) {
    let mut table =
        table(["cold start (ms, medians)", "/ Node", "both", "init", "first", "CPU of init", "CPU of first"]);
    let node = figures.cold(NODE).map_or(f64::NAN, |node| node.total_us);
    for cold in &figures.cold {
        let [total, init, first, init_cpu, first_cpu] =
            [cold.total_us, cold.init_us, cold.first_us, cold.init_cpu_us, cold.first_cpu_us].map(ms);
        let ratio = digits(cold.total_us / node);
        table.add_row([cold.name.clone(), ratio, total, init, first, init_cpu, first_cpu]);
    }
    say::line(table);
    say::line("init: process started → first event asked for; first: event handed out → answer read.\n");

    let mut table = self::table(["first invocation, throttled (ms)", "/ Node", "least", "median", "most", "CPU × 14"]);
    let node = figures.throttled(NODE).map_or(f64::NAN, |node| node.first_us);
    for throttled in &figures.throttled {
        let [least, median, most] = [throttled.least_us, throttled.first_us, throttled.most_us].map(ms);
        let even = figures.cold(&throttled.name).map_or("-".to_owned(), |cold| ms(cold.first_cpu_us * 14.0));
        let ratio = digits(throttled.first_us / node);
        table.add_row([throttled.name.clone(), ratio, least, median, most, even]);
    }
    say::line(table);
    say::line(format_args!(
        "1/{SHARE} of a core, as 128 MB have: stopped (SIGSTOP) once a 100 ms period's share is used, until the next. \
         Evenly slowed down it would be CPU × 14.\n"
    ));
}

fn throughput(figures: &Figures) {
    let mut table = table(["throughput (requests/s)", "/ Node", "instances", "median", "rounds"]);
    let node = figures.throughput(NODE).map_or(f64::NAN, |node| node.per_second);
    for throughput in &figures.throughput {
        let rounds: Vec<String> = throughput.rounds.iter().map(|round| format!("{round:.0}")).collect();
        let (ratio, median) = (digits(throughput.per_second / node), format!("{:.0}", throughput.per_second));
        let instances = throughput.instances.to_string();
        table.add_row([throughput.name.clone(), ratio, instances, median, rounds.join(" ")]);
    }
    say::line(table);
    say::line("One instance on each of two cores, which they share with the harness.\n");
}

fn sizes(figures: &Figures) {
    let mut table = table(["size and memory", "RSS warm, MB", "of it anonymous", "package, MB"]);
    for warm in &figures.warm {
        let (Some(rss), Some(anon)) = (warm.rss_kib, warm.rss_anon_kib) else { continue };
        let package = match warm.name.as_str() {
            super::OURS => Some(figures.binary_bytes),
            NODE => Some(figures.node_bundle_bytes),
            _ => None,
        };
        let package = package.map_or("-".to_owned(), |bytes| format!("{:.2}", mb(bytes)));
        let [rss, anon] = [rss, anon].map(|kib| format!("{:.1}", mb(kib * 1_024)));
        table.add_row([warm.name.clone(), rss, anon, package]);
    }
    say::line(table);
    say::line("Node's own 100 MB are not in its package: the managed runtime has them. MB are 10^6 bytes.\n");
    if let Some(instructions) = &figures.instructions {
        let (per_request, of_start) = (instructions.per_request, instructions.of_start);
        say::line(format_args!("Instructions (ours): {per_request:.0} per request, {of_start:.0} to start.\n"));
    }
}

fn costs(figures: &Figures) {
    let mut table = table(["a million requests (USD)", "memory, MB", "billed, ms", "x86", "arm64"]);
    for cost in &figures.costs {
        let [x86, arm] = [cost.x86, cost.arm].map(|usd| format!("{usd:.2}"));
        table.add_row([cost.name.clone(), cost.memory_mb.to_string(), format!("{:.0}", cost.billed_ms), x86, arm]);
    }
    say::line(table);
    let fixed = figures.costs.first().map_or(0.0, |cost: &cost::Cost| cost.of_it_fixed);
    say::line(format_args!(
        "List prices of {PRICES_OF}; CPU as measured here, a read of {STORE_MS} ms, whole milliseconds billed. \
         {fixed:.3} of each are the invocations and the reads. Without starts, logs and API Gateway."
    ));
}

/// With as many digits as say something.
fn digits(value: f64) -> String {
    match value {
        value if value < 0.1 => format!("{value:.4}"),
        value if value < 10.0 => format!("{value:.2}"),
        value => format!("{value:.1}"),
    }
}

fn ms(us: f64) -> String {
    format!("{:.2}", us / 1_000.0)
}
