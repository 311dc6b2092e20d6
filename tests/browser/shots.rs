//! Screenshots, compared with those in `tests/browser/kept`.
//!
//! Compared are the mean colours of blocks, so that another rasteriser of fonts or another version of
//! Debian's chromium changes nothing, and another colour or layout does. The browser compares, since it can
//! read its own images: no crate has to.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::browser::{Browser, SHOTS, save};

const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser/kept");
const COMPARE: &str = include_str!("compare.js");

/// The side of a block in pixels.
const BLOCK: u32 = 24;
/// By how much the mean of a channel may differ, of 255.
const TOLERATED: u32 = 20;
/// The share of blocks that may differ by more.
pub const SHARE: f64 = 0.02;

/// What the window shows, against the kept screenshot of that name; `Err` says what differs, and where to
/// look. With `UPDATE_SHOTS=1` it is kept.
pub async fn compared(browser: &Browser, name: &str) -> Result<(), String> {
    let taken = browser.shoot(name).await;
    let file = kept(name);
    if std::env::var_os("UPDATE_SHOTS").is_some() {
        std::fs::create_dir_all(KEPT).and_then(|()| std::fs::write(&file, &taken)).expect("it can be written");
        return Ok(());
    }
    let share = difference(browser, name, name, &taken).await?;
    if share <= SHARE {
        return Ok(());
    }
    Err(format!(
        "{name}: {:.1} % of the blocks differ, {:.1} % may: look at {SHOTS}/{name}.png and {name}.difference.png \
         beside {}; if it is wanted: UPDATE_SHOTS=1 cargo test --test browser",
        share * 100.0,
        SHARE * 100.0,
        file.display()
    ))
}

/// The share of blocks in which a screenshot differs from a kept one; too many are shown in
/// `target/browser/NAME.difference.png`.
pub async fn difference(browser: &Browser, with: &str, name: &str, taken: &[u8]) -> Result<f64, String> {
    let kept = std::fs::read(kept(with)).map_err(|error| {
        format!("{with}: there is no kept screenshot ({error}); UPDATE_SHOTS=1 cargo test --test browser keeps it")
    })?;
    let arguments = json!([STANDARD.encode(kept), STANDARD.encode(taken), BLOCK, TOLERATED]);
    let outcome = browser.later_with(COMPARE, &arguments).await;
    let picture = outcome["picture"].as_str().unwrap_or_else(|| panic!("{name}: {}", outcome["error"]));
    let share = outcome["share"].as_f64().expect("a share");
    if share > SHARE {
        save(&format!("{name}.difference.png"), &STANDARD.decode(picture).expect("base64"));
    }
    Ok(share)
}

fn kept(name: &str) -> PathBuf {
    Path::new(KEPT).join(format!("{name}.png"))
}
