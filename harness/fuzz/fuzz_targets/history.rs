//! A history's file, as a person or a broken disk leaves it.

#![no_main]

use windthrow_fuzz::read;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| read(bytes, windthrow::evidence::fuzz::history));
