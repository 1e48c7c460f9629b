//! The body of an answer, of which no more is read than somebody wants to see.

use reqwest::{Error, Response};

/// How it ended.
#[derive(Debug)]
pub enum Ended {
    /// That was all.
    Whole,
    /// There is more than was wanted.
    Longer,
    /// The connection broke, or it took too long.
    Broken(Error),
}

/// Reads the first bytes of a body, at most so many, and says how it ended.
pub async fn beginning(answer: &mut Response, most: usize) -> (Vec<u8>, Ended) {
    let mut bytes = Vec::new();
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) => {
                let room = most - bytes.len();
                bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
                if chunk.len() > room {
                    return (bytes, Ended::Longer);
                }
            }
            Ok(None) => return (bytes, Ended::Whole),
            Err(error) => return (bytes, Ended::Broken(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// Reads at most five bytes of a body that is said to have as many as these, or more.
    async fn read(body: &'static [u8], said: usize) -> (Vec<u8>, Ended) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let served = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            assert!(stream.read(&mut [0; 1_024]).await.unwrap() > 0, "it asks");
            let head =
                format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {said}\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.write_all(body).await.unwrap();
            stream.shutdown().await.unwrap();
            stream
        };
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let (_stream, answer) = tokio::join!(served, client.get(url).send());
        beginning(&mut answer.unwrap(), 5).await
    }

    #[tokio::test]
    async fn no_more_is_read_than_is_wanted_and_the_end_is_told() {
        let (bytes, ended) = read(b"whole", 5).await;
        assert!(bytes == b"whole" && matches!(ended, Ended::Whole), "{ended:?}");
        let (bytes, ended) = read(b"longer", 6).await;
        assert!(bytes == b"longe" && matches!(ended, Ended::Longer), "{ended:?}");
        let (bytes, ended) = read(b"cut", 5).await;
        assert!(bytes == b"cut" && matches!(ended, Ended::Broken(_)), "{ended:?}");
    }
}
