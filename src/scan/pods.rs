//! The pods of a look, kept in pieces.

use crate::engine::PodSnapshot;

/// Pods per piece.
const PIECE: usize = 2048;

/// A list that never moves what is in it, and that is given back to memory piece by piece while it is consumed: with
/// a hundred thousand pods the engine's copy takes the room of those that it has taken.
#[derive(Default)]
pub struct PodList {
    pieces: Vec<Vec<PodSnapshot>>,
}

impl PodList {
    /// The number of pods.
    pub fn len(&self) -> usize {
        self.pieces.last().map_or(0, |last| (self.pieces.len() - 1) * PIECE + last.len())
    }

    /// Adds one at the end.
    pub fn push(&mut self, pod: PodSnapshot) {
        if self.pieces.last().is_none_or(|last| last.len() == PIECE) {
            self.pieces.push(Vec::new());
        }
        if let Some(last) = self.pieces.last_mut() {
            last.push(pod);
        }
    }

    /// The one at that index.
    pub fn get_mut(&mut self, index: usize) -> Option<&mut PodSnapshot> {
        self.pieces.get_mut(index / PIECE)?.get_mut(index % PIECE)
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &PodSnapshot> + Clone {
        self.pieces.iter().flatten()
    }

    /// All of them, in order; each piece is freed behind its last one.
    pub fn into_all(self) -> impl Iterator<Item = PodSnapshot> {
        self.pieces.into_iter().flatten()
    }

    /// Removes all.
    pub fn clear(&mut self) {
        self.pieces.clear();
    }
}
