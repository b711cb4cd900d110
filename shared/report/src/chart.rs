//! A histogram as SVG: numbers and fixed words only, so that nothing in it needs escaping.

use std::fmt::Write as _;

use crate::counts::{Distribution, duration};

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 44.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 50.0;
const BOTTOM: f64 = 34.0;
/// Columns: enough to see a second hump, few enough to be read on paper.
const COLUMNS: u32 = 20;
/// Labels below the columns.
const LABELS: u32 = 4;

/// The histogram of a distribution; a text says so when there is nothing to draw.
pub(crate) fn histogram(distribution: &mut Distribution, title: &str) -> String {
    let (p50, p99) = (distribution.percentile(50), distribution.percentile(99));
    let values = distribution.sorted();
    let mut svg = String::new();
    let (Some(p50), Some(p99), Some(longest)) = (p50, p99, values.last().copied()) else {
        let _ = write!(svg, r#"<p class="none">{title}: nothing was measured.</p>"#);
        return svg;
    };
    let step = step(longest);
    let columns = columns(values, step);
    let tallest = columns.iter().copied().max().unwrap_or(1).max(1);
    let (said50, said99) = (duration(p50), duration(p99));
    let _ = write!(
        svg,
        r#"<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}: half within {said50}, 99 of 100 within {said99}">"#
    );
    axes(&mut svg, step, tallest);
    let width = (WIDTH - LEFT - RIGHT) / f64::from(COLUMNS);
    for (n, count) in (0_u32..).zip(&columns) {
        let height = (HEIGHT - TOP - BOTTOM) * share(*count, tallest);
        if *count > 0 {
            let (x, y) = (LEFT + width * f64::from(n), HEIGHT - BOTTOM - height);
            let range = format!("{} to {}", duration(step * n), duration(step.saturating_mul(n + 1)));
            let _ = write!(
                svg,
                r#"<rect class="bar" x="{:.1}" y="{y:.1}" width="{:.1}" height="{:.1}"><title>{range}: {count}</title></rect>"#,
                x + 1.0,
                width - 2.0,
                height.max(1.0)
            );
        }
    }
    mark(&mut svg, p50, step, "p50", &said50, 20.0);
    mark(&mut svg, p99, step, "p99", &said99, 40.0);
    svg.push_str("</svg>");
    svg
}

/// The width of a column, a round number of milliseconds, so that the longest duration has one.
fn step(longest: u32) -> u32 {
    let needed = longest / COLUMNS + 1;
    let mut power = 1_u32;
    loop {
        for factor in [1, 2, 5] {
            let step = power.saturating_mul(factor);
            if step >= needed || step == u32::MAX {
                return step;
            }
        }
        power = power.saturating_mul(10);
    }
}

fn columns(values: &[u32], step: u32) -> Vec<u64> {
    let mut columns = vec![0; COLUMNS as usize];
    for value in values {
        let column = (value / step).min(COLUMNS - 1);
        if let Some(count) = columns.get_mut(column as usize) {
            *count += 1;
        }
    }
    columns
}

fn share(count: u64, of: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "no report has 2^52 entries")]
    let share = count as f64 / of as f64;
    share
}

fn axes(svg: &mut String, step: u32, tallest: u64) {
    let (bottom, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
    let _ = write!(svg, r#"<line class="axis" x1="{LEFT}" y1="{bottom}" x2="{right}" y2="{bottom}"/>"#);
    for (share, count) in [(0.0, 0), (1.0, tallest)] {
        let y = bottom - (bottom - TOP) * share;
        let _ = write!(svg, r#"<text class="y" x="{:.1}" y="{:.1}">{count}</text>"#, LEFT - 6.0, y + 4.0);
    }
    for n in 0..=LABELS {
        let x = LEFT + (right - LEFT) * f64::from(n) / f64::from(LABELS);
        let anchor = if n == LABELS { "end" } else { "middle" };
        let text = duration(step.saturating_mul(COLUMNS / LABELS * n));
        let y = bottom + 16.0;
        let _ = write!(svg, r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{text}</text>"#);
    }
}

/// A line at a percentile, its words on the side where there is room.
fn mark(svg: &mut String, value: u32, step: u32, name: &str, said: &str, y: f64) {
    let whole = f64::from(step) * f64::from(COLUMNS);
    let x = LEFT + (WIDTH - LEFT - RIGHT) * f64::from(value) / whole;
    let (anchor, beside) = if x > WIDTH * 0.7 { ("end", x - 4.0) } else { ("start", x + 4.0) };
    let bottom = HEIGHT - BOTTOM;
    let top = y - 10.0;
    let _ = write!(
        svg,
        r#"<line class="mark" x1="{x:.1}" y1="{top:.1}" x2="{x:.1}" y2="{bottom}"/><text class="mark" x="{beside:.1}" y="{y:.1}" text-anchor="{anchor}">{name} {said}</text>"#
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_in_a_column_and_the_longest_in_one_of_the_last() {
        for longest in [0, 1, 19, 20, 999, 1_000, 123_456, u32::MAX] {
            let step = step(longest);
            let columns = columns(&[0, longest / 2, longest], step);
            assert_eq!(columns.iter().sum::<u64>(), 3, "{longest}");
            assert!(longest / step < COLUMNS, "{longest} in steps of {step}");
        }
    }

    #[test]
    fn a_chart_has_bars_and_marks_and_nothing_to_draw_is_said() {
        let mut distribution = Distribution::default();
        assert!(histogram(&mut distribution, "To the seal").contains("nothing was measured"));
        for value in [5, 10, 10, 500] {
            distribution.add(value);
        }
        let svg = histogram(&mut distribution, "To the seal");
        assert_eq!(svg.matches("class=\"bar\"").count(), 2, "{svg}");
        assert!(svg.contains("p50 10 ms") && svg.contains("p99 500 ms"), "{svg}");
    }
}
