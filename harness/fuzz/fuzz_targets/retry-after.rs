//! `Retry-After`, as the reference integration reads it.

#![no_main]

use windthrow_fuzz::read;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| read(bytes, reference::fuzz::check));
