//! How a medium fits the lines of an outline into their shares.

use super::{Line, Share, Span};

/// What each line may take, in the medium's unit, markup included.
#[derive(Copy, Clone, Debug)]
pub struct Shares {
    /// A headline.
    pub headline: usize,
    /// A sentence.
    pub sentence: usize,
    /// A line of evidence.
    pub fact: usize,
    /// A command or advice.
    pub remedy: usize,
    /// Another possible cause.
    pub hypothesis: usize,
    /// Small print.
    pub small: usize,
    /// A finding of a digest.
    pub item: usize,
    /// The headline within it.
    pub item_headline: usize,
    /// A sentence or command of a finding in a digest of few.
    pub item_detail: usize,
}

/// Escapes spans and measures them.
pub trait Medium {
    /// A span, escaped.
    type Piece;
    /// What each line may take.
    const SHARES: Shares;

    /// The span, escaped and cut to `max`; it may be longer where not even an ellipsis fits.
    fn piece(span: &Span, max: usize) -> Self::Piece;

    /// The length of a piece, markup included.
    fn length(piece: &Self::Piece) -> usize;
}

impl Shares {
    /// What such a line may take.
    pub const fn of(&self, share: Share) -> usize {
        match share {
            Share::Headline => self.headline,
            Share::Sentence => self.sentence,
            Share::Fact => self.fact,
            Share::Remedy => self.remedy,
            Share::Hypothesis => self.hypothesis,
            Share::Small => self.small,
            Share::Item => self.item,
            Share::ItemDetail => self.item_detail,
        }
    }

    /// What the bold words of such a line may take.
    const fn bold(&self, share: Share) -> usize {
        match share {
            Share::Item => self.item_headline,
            other => self.of(other),
        }
    }
}

/// The pieces of a line that fit into its share.
pub fn pieces<M: Medium>(line: &Line) -> Vec<M::Piece> {
    let max = M::SHARES.of(line.share);
    let (mut pieces, mut used) = (Vec::new(), 0);
    for span in &line.spans {
        let room = max.saturating_sub(used);
        let own = if matches!(span, Span::Bold(_)) { room.min(M::SHARES.bold(line.share)) } else { room };
        let piece = M::piece(span, own);
        let length = M::length(&piece);
        if length > room {
            break;
        }
        used += length;
        pieces.push(piece);
    }
    pieces
}

/// The line as text.
pub fn text<M: Medium<Piece = String>>(line: &Line) -> String {
    pieces::<M>(line).concat().trim_end().to_owned()
}

/// The lines as text.
pub fn texts<M: Medium<Piece = String>>(lines: &[Line]) -> String {
    lines.iter().map(text::<M>).collect::<Vec<_>>().join("\n")
}
