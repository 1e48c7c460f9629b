//! What a target sends as datagrams of DogStatsD.

#![no_main]

use windthrow_fuzz::read;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| read(bytes, windthrow::metrics::fuzz::datagrams));
