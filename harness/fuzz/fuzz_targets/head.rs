//! The head of a request, as the mock's edge reads it.

#![no_main]

use windthrow_fuzz::read;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| read(bytes, mock_server::fuzz::head));
