//! What a target posts as an export of OpenTelemetry.

#![no_main]

use windthrow_fuzz::read;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| read(bytes, windthrow::metrics::fuzz::exports));
