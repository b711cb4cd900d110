//! As much HTTP/1.1 as two well-behaved ends need, over blocking sockets: nothing here may cost more than what it measures.

use std::io::{self, ErrorKind, Read, Write};

/// More than any message of a bench; a length beyond it is a mistake.
const LIMIT: usize = 1024 * 1024;
const HEAD_END: &[u8] = b"\r\n\r\n";

/// A request or a response.
#[derive(Debug)]
pub(crate) struct Message {
    /// First line and headers.
    head: String,
    /// The content, without any transfer coding.
    pub(crate) body: Vec<u8>,
}

/// A connection, and what was read of the next message.
pub(crate) struct Connection<S> {
    stream: S,
    buffer: Vec<u8>,
}

// === impl Message ===

impl Message {
    /// Method and target, or version and status.
    pub(crate) fn first_line(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }

    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }
}

fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    let mut headers = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    headers.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

// === impl Connection ===

impl<S: Read + Write> Connection<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, buffer: Vec::with_capacity(16 * 1024) }
    }

    /// The next message; `None` if the other end has closed in between.
    pub(crate) fn read(&mut self) -> io::Result<Option<Message>> {
        let end = loop {
            if let Some(at) = find(&self.buffer, HEAD_END) {
                break at + HEAD_END.len();
            }
            if !self.fill()? {
                return if self.buffer.is_empty() { Ok(None) } else { Err(ErrorKind::UnexpectedEof.into()) };
            }
        };
        let head = String::from_utf8(self.buffer.drain(..end).collect()).map_err(io::Error::other)?;
        if header(&head, "expect").is_some() {
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let body = if header(&head, "transfer-encoding").is_some() {
            self.chunks()?
        } else {
            let length = header(&head, "content-length").unwrap_or("0").parse().map_err(io::Error::other)?;
            self.take(length)?
        };
        Ok(Some(Message { head, body }))
    }

    /// Writes all of it at once, so that it leaves in one segment.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }

    fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = loop {
                if let Some(at) = find(&self.buffer, b"\r\n") {
                    break self.take(at + 2)?;
                }
                self.need_more()?;
            };
            let digits = String::from_utf8_lossy(&line);
            let length = usize::from_str_radix(digits.trim(), 16).map_err(io::Error::other)?;
            let chunk = self.take(length + 2)?;
            if length == 0 {
                return Ok(body);
            }
            body.extend_from_slice(chunk.get(..length).unwrap_or_default());
        }
    }

    fn take(&mut self, length: usize) -> io::Result<Vec<u8>> {
        if length > LIMIT {
            return Err(ErrorKind::InvalidData.into());
        }
        while self.buffer.len() < length {
            self.need_more()?;
        }
        Ok(self.buffer.drain(..length).collect())
    }

    fn need_more(&mut self) -> io::Result<()> {
        if self.buffer.len() <= LIMIT && self.fill()? { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) }
    }

    /// Reads what is there; answers whether there will be more.
    fn fill(&mut self) -> io::Result<bool> {
        let mut chunk = [0; 8 * 1024];
        let length = self.stream.read(&mut chunk)?;
        self.buffer.extend_from_slice(chunk.get(..length).unwrap_or_default());
        Ok(length > 0)
    }
}

fn find(buffer: &[u8], wanted: &[u8]) -> Option<usize> {
    buffer.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads piece by piece.
    struct Pieces(Vec<&'static [u8]>);

    impl Read for Pieces {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return Ok(0);
            }
            let piece = self.0.remove(0);
            into[..piece.len()].copy_from_slice(piece);
            Ok(piece.len())
        }
    }

    impl Write for Pieces {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn reads_messages_that_come_in_pieces_and_together() {
        let pieces =
            vec![&b"POST /a HTTP/1.1\r\nContent-"[..], b"Length: 3\r\n\r\nabcGET /b HTTP/1.1\r\nX-Y:  z \r\n", b"\r\n"];
        let mut connection = Connection::new(Pieces(pieces));
        let first = connection.read().unwrap().unwrap();
        assert_eq!((first.first_line(), first.body.as_slice()), ("POST /a HTTP/1.1", &b"abc"[..]));
        let second = connection.read().unwrap().unwrap();
        assert_eq!((second.header("x-y"), second.body.len()), (Some("z"), 0));
        assert!(connection.read().unwrap().is_none());
    }

    #[test]
    fn reads_chunks() {
        let pieces =
            vec![&b"POST /a HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r"[..], b"\n2\r\nde\r\n0\r\n\r\n"];
        assert_eq!(Connection::new(Pieces(pieces)).read().unwrap().unwrap().body, b"abcde");
    }

    #[test]
    fn half_a_message_is_an_error() {
        let pieces = vec![&b"POST /a HTTP/1.1\r\ncontent-length: 9\r\n\r\nabc"[..]];
        assert!(Connection::new(Pieces(pieces)).read().is_err());
    }
}
