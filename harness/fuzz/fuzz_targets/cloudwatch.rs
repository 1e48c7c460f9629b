//! What a target puts to CloudWatch.

#![no_main]

use windthrow_fuzz::read;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| read(bytes, windthrow::metrics::fuzz::puts));
