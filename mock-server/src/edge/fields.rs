//! The header fields of a request, in one piece of memory.

use std::fmt;
use std::ops::Range;

/// Names in lower case and values, in the order in which they came. Each name ends with a NUL, each value
/// with the end of a line, so that the whole can be searched at once; no field holds either.
#[derive(Clone, Default)]
pub(super) struct Fields {
    text: Vec<u8>,
    /// Where each name begins, its value begins, and its value ends.
    places: Vec<[usize; 3]>,
}

impl Fields {
    /// No fields yet, with room for so many, of so many bytes in all.
    pub fn with_room(fields: usize, bytes: usize) -> Self {
        Self { text: Vec::with_capacity(bytes), places: Vec::with_capacity(fields) }
    }

    pub fn len(&self) -> usize {
        self.places.len()
    }

    pub fn push(&mut self, name: &str, value: &[u8]) {
        let start = self.text.len();
        self.text.extend_from_slice(name.as_bytes());
        self.text[start..].make_ascii_lowercase();
        self.text.push(0);
        let middle = self.text.len();
        self.text.extend_from_slice(value);
        self.places.push([start, middle, self.text.len()]);
        self.text.push(b'\n');
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.places.iter().map(|[start, middle, end]| {
            let name = std::str::from_utf8(&self.text[*start..middle - 1]);
            (name.unwrap_or_default(), &self.text[*middle..*end])
        })
    }

    /// The values of all fields of this name.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.iter().filter(move |(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Everything before and after the value of the first field of this name.
    pub fn around(&self, name: &str) -> [&[u8]; 2] {
        let whole = Range { start: self.text.len(), end: self.text.len() };
        let at = self.iter().position(|(known, _)| known == name);
        let cut = at.map_or(whole, |at| self.places[at][1]..self.places[at][2]);
        [&self.text[..cut.start], &self.text[cut.end..]]
    }
}

impl PartialEq for Fields {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Fields {}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lossy = self.iter().map(|(name, value)| (name, String::from_utf8_lossy(value)));
        f.debug_map().entries(lossy).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_as_they_came_but_for_the_case_of_names() {
        let mut fields = Fields::with_room(0, 0);
        let all: [(&str, &[u8]); 4] = [("A", b"1"), ("b", b""), ("a", b"\xff"), ("C", b"x: y")];
        all.iter().for_each(|(name, value)| fields.push(name, value));
        let expected: [(&str, &[u8]); 4] =
            [("a", b"1"), ("b", b""), ("a", b"\xff"), ("c", b"x: y")];
        assert_eq!(fields.iter().collect::<Vec<_>>(), expected);
        assert_eq!(fields.all("a").collect::<Vec<_>>(), [&b"1"[..], b"\xff"]);
        assert_eq!(fields.around("b"), [&b"a\x001\nb\0"[..], b"\na\0\xff\nc\0x: y\n"]);
        assert_eq!(fields.around("d"), [&b"a\x001\nb\0\na\0\xff\nc\0x: y\n"[..], b""]);
        assert_eq!(Fields::default().around("a"), [&b""[..], b""]);
    }
}
