//! Medians, quartiles and ratios within a round.

/// The middle of some samples, and where the middle half of them lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// Half of the samples are below.
    pub median: f64,
    /// A quarter of the samples is below.
    pub low: f64,
    /// A quarter of the samples is above.
    pub high: f64,
}

impl Summary {
    /// Of samples in any order; `None` of none.
    pub fn of(samples: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = samples.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        (!sorted.is_empty()).then(|| Self {
            median: quantile(&sorted, 0.5),
            low: quantile(&sorted, 0.25),
            high: quantile(&sorted, 0.75),
        })
    }

    /// Of the ratios of samples that were taken in the same round: noise that lasts longer than a
    /// round is in both and falls out.
    pub fn of_ratios(samples: &[f64], base: &[f64]) -> Option<Self> {
        let pairs = samples.iter().zip(base).filter(|(_, base)| **base > 0.0);
        Self::of(pairs.map(|(sample, base)| sample / base))
    }
}

/// Of sorted samples, between two neighbours in proportion; 0 of none.
pub fn quantile(sorted: &[f64], part: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let place = part * last as f64;
    let below = sorted.get(place.floor() as usize).copied().unwrap_or_default();
    let above = sorted.get(place.ceil() as usize).copied().unwrap_or_default();
    below + (above - below) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_lie_between_neighbours() {
        let summary = Summary::of([4.0, 1.0, 3.0, 2.0]).unwrap();
        assert_eq!(summary, Summary { median: 2.5, low: 1.75, high: 3.25 });
        assert_eq!(Summary::of([7.0]), Some(Summary { median: 7.0, low: 7.0, high: 7.0 }));
        assert_eq!(Summary::of([]), None);
    }

    #[test]
    fn the_ends_are_the_smallest_and_the_largest() {
        let sorted = [1.0, 2.0, 9.0];
        assert_eq!([quantile(&sorted, 0.0), quantile(&sorted, 1.0)], [1.0, 9.0]);
        assert_eq!(quantile(&sorted, 0.99), 2.0 + 7.0 * 0.98);
        assert_eq!(quantile(&[], 0.5), 0.0);
    }

    #[test]
    fn ratios_are_taken_within_a_round() {
        // The machine was twice as slow in the second round: the ratio does not see it.
        let ratio = Summary::of_ratios(&[10.0, 20.0, 11.0], &[20.0, 40.0, 20.0]).unwrap();
        assert_eq!(ratio.median, 0.5);
        // The ratio of the medians would be 0.55.
        assert_eq!(Summary::of_ratios(&[1.0], &[0.0]), None);
    }
}
