//! Somebody on this machine who sends back whatever is sent.

use std::io;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A connection over loopback to an echo; dropping it ends the echo.
pub struct Echo {
    /// Our end.
    pub client: TcpStream,
    task: JoinHandle<()>,
}

impl Echo {
    /// Connects.
    ///
    /// # Errors
    ///
    /// When loopback sockets cannot be used.
    pub async fn connect() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let client = TcpStream::connect(listener.local_addr()?).await?;
        let (mut server, _) = listener.accept().await?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let task = tokio::spawn(async move {
            let (mut from, mut to) = server.split();
            // It ends with the connection, however that goes.
            let _ = tokio::io::copy(&mut from, &mut to).await;
        });
        Ok(Self { client, task })
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.task.abort();
    }
}
