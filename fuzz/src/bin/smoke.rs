//! Runs every target, or those that are named, over its seeds and a number of mutations of them:
//! `smoke [COUNT] [TARGET…]`. The same mutations every time; the input that fails is written to
//! `artifacts/` and its path printed. `smoke --input FILE TARGET…` runs that one again.

use std::{fs, panic, path::Path, process::ExitCode, time::Instant};

use hookward_fuzz::{
    mutate::mutate,
    targets::{TARGETS, Target},
};

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1).peekable();
    let input = args.next_if(|arg| arg == "--input").and_then(|_| args.next());
    let input = input.map(|path| fs::read(path).expect("the input's file"));
    let count = args.next_if(|arg| arg.parse::<u32>().is_ok());
    let count = count.and_then(|count| count.parse().ok()).unwrap_or(10_000);
    let named: Vec<_> = args.collect();
    let meant = |target: &&Target| named.is_empty() || named.iter().any(|n| n == target.name);
    if let Some(input) = input {
        TARGETS.iter().filter(meant).for_each(|target| (target.run)(&input));
        return ExitCode::SUCCESS;
    }
    let mut failed = false;
    for target in TARGETS.iter().filter(meant) {
        let begun = Instant::now();
        let ran = run(target, count);
        failed |= ran.is_none();
        let ran = ran.map_or("FAILED".to_owned(), |ran| format!("{ran} inputs"));
        println!("{:<12}{ran} in {:.1} s", target.name, begun.elapsed().as_secs_f32());
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn run(target: &Target, count: u32) -> Option<u32> {
    let seeds = (target.seeds)();
    let mut random = fastrand::Rng::with_seed(1);
    let one = |input: &[u8]| {
        let done = panic::catch_unwind(|| (target.run)(input));
        done.map_err(|_| keep(target.name, input)).ok()
    };
    for seed in &seeds {
        one(seed)?;
    }
    let empty = Vec::new();
    for _ in 0..count {
        let seed = random.choice(&seeds).unwrap_or(&empty);
        let other = random.choice(&seeds).unwrap_or(&empty);
        one(&mutate(seed, other, &mut random))?;
    }
    Some(count + u32::try_from(seeds.len()).unwrap_or(0))
}

fn keep(name: &str, input: &[u8]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("artifacts");
    let path = folder.join(format!("{name}-smoke"));
    match fs::create_dir_all(&folder).and_then(|()| fs::write(&path, input)) {
        Ok(()) => eprintln!("{name}: the input is {}", path.display()),
        Err(error) => eprintln!("{name}: the input cannot be kept: {error}"),
    }
}
