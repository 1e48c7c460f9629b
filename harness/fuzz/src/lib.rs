//! Fuzz targets for whatever reads bytes of strangers, each with what must hold of its reader.
//!
//! From `harness`: `cargo +nightly fuzz run --sanitizer none TARGET` (see `cargo fuzz list`), where nothing
//! is to find for a sanitizer, since nothing here is unsafe. What is found is put into `corpus/TARGET`, and
//! from then on `cargo test` reads it too.

use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// The most memory that reading may take beside what each byte of the input may.
const FEW_BYTES: usize = 4 << 20;
/// The most memory for each byte of the input.
const FOR_EACH: usize = 1 << 10;

/// Reads an input, in memory that grows with its length and no faster.
///
/// # Panics
///
/// When it takes more, and when the reader does.
pub fn read(bytes: &[u8], reader: fn(&[u8])) {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    reader(bytes);
    let taken = MEMORY.peak_usage().saturating_sub(before);
    let allowed = FEW_BYTES + FOR_EACH * bytes.len();
    assert!(taken <= allowed, "{taken} bytes of memory for {} of input", bytes.len());
}
