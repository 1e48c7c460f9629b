//! The pipe on standard input that ties a process to whoever started it: its end means that the
//! other is gone, however that came.

use super::interrupted;
use tokio::io::AsyncReadExt;

/// Ends this process with the one that started it; on a thread of its own, which needs no runtime.
pub fn end_with_the_parent() {
    std::thread::spawn(|| {
        let gone = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        eprintln!("the harness is gone ({gone:?})");
        std::process::exit(0);
    });
}

/// Returns on Ctrl-C, on SIGTERM, and when the parent is gone.
pub async fn asked_to_stop() {
    let parent_gone = async {
        let mut input = tokio::io::stdin();
        let mut byte = [0];
        while matches!(input.read(&mut byte).await, Ok(1..)) {}
    };
    tokio::select! {
        () = interrupted() => {}
        () = parent_gone => {}
    }
}
