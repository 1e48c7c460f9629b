//! The lines of a history, which its digest vouches for.

#![no_main]

use windthrow_fuzz::read;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| read(bytes, windthrow::evidence::fuzz::lines));
