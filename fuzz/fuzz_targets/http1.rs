#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (hookward_fuzz::targets::named("http1").run)(bytes));
