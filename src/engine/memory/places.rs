//! The pods of a workload, by their indices.

/// A few bytes for each pod: most workloads have one to twenty, and there are tens of thousands of workloads.
#[derive(Debug, Default)]
pub struct Places(Vec<u32>);

impl Places {
    /// All of them, ascending.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = u32> + ExactSizeIterator + '_ {
        self.0.iter().copied()
    }

    /// Adds one.
    pub fn insert(&mut self, place: u32) {
        let Err(at) = self.0.binary_search(&place) else { return };
        if self.0.len() == self.0.capacity() {
            // The usual doubling would leave room for as many again.
            self.0.reserve_exact(1 + self.0.len() / 4);
        }
        self.0.insert(at, place);
    }

    /// Removes one.
    pub fn remove(&mut self, place: u32) {
        if let Ok(at) = self.0.binary_search(&place) {
            self.0.remove(at);
        }
    }

    /// Removes those that are in `others`, which ascend too.
    pub fn remove_all(&mut self, others: &[u32]) {
        self.0.retain(|place| others.binary_search(place).is_err());
    }

    /// Their number.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_ascend_whatever_comes_first_and_each_is_there_once() {
        let mut places = Places::default();
        for place in [7, 3, 9, 3, 5, 7] {
            places.insert(place);
        }
        places.remove(9);
        places.remove(4);
        assert_eq!(places.iter().collect::<Vec<_>>(), [3, 5, 7]);
        places.remove_all(&[1, 3, 7]);
        assert_eq!(places.iter().collect::<Vec<_>>(), [5]);
    }
}
