//! The beginning of an archive that a client sends, as the daemon will look at it.
//!
//! dockerd finds out by the first bytes whether an archive is compressed, and up to engine 29.5.1 ran
//! the decompressor of the *container* as root of the host for it (CVE-2026-41567). The test here is
//! the other way round: what is not seen to be a plain tar is none. Source: `DetectCompression` in
//! `github.com/moby/go-archive/compression`, POSIX.1 `pax` (ustar).

/// Bytes of a tar block.
pub const BLOCK: usize = 512;

/// What the first block of a stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beginning {
    /// There are no bytes at all.
    Empty,
    /// The header of a tar's first member, or the zeros at the end of an empty tar.
    Tar,
    /// It begins as compressed data of this kind does, whatever else it may be read as.
    Compressed(&'static str),
    /// Neither.
    Other,
}

/// What compressed data begins with. zstd has sixteen further beginnings, of frames to be skipped.
const MAGIC: [(&str, &[u8]); 4] = [
    ("bzip2", &[0x42, 0x5a, 0x68]),
    ("gzip", &[0x1f, 0x8b, 0x08]),
    ("xz", &[0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]),
    ("zstd", &[0x28, 0xb5, 0x2f, 0xfd]),
];

impl Beginning {
    /// Looks at the first block, or at all there is of it.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let magic = MAGIC.iter().find(|(_, magic)| bytes.starts_with(magic));
        let skippable = matches!(bytes, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..]);
        match (magic, bytes.first_chunk::<BLOCK>()) {
            (Some((name, _)), _) => Self::Compressed(name),
            (None, _) if skippable => Self::Compressed("zstd"),
            (None, _) if bytes.is_empty() => Self::Empty,
            (None, Some(block)) if is_header(block) || block.iter().all(|b| *b == 0) => Self::Tar,
            (None, _) => Self::Other,
        }
    }
}

/// Whether the checksum of a tar header holds: the sum of its bytes with the field itself as blanks.
fn is_header(block: &[u8; BLOCK]) -> bool {
    const FIELD: std::ops::Range<usize> = 148..156;
    let Some(field) = block.get(FIELD) else { return false };
    let text: Vec<u8> = field.iter().copied().filter(|b| !matches!(b, b' ' | 0)).collect();
    let said = std::str::from_utf8(&text).ok().and_then(|t| u32::from_str_radix(t, 8).ok());
    let sum = block
        .iter()
        .enumerate()
        .map(|(at, b)| if FIELD.contains(&at) { 32 } else { u32::from(*b) });
    said == Some(sum.sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(name: &[u8]) -> Vec<u8> {
        let mut block = vec![0; BLOCK];
        block[..name.len()].copy_from_slice(name);
        block[100..107].copy_from_slice(b"0000644");
        block[257..263].copy_from_slice(b"ustar\0");
        block[148..156].copy_from_slice(b"        ");
        let sum: u32 = block.iter().map(|b| u32::from(*b)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        block
    }

    #[test]
    fn a_plain_tar_is_known_by_its_checksum() {
        assert_eq!(Beginning::of(&header(b"file")), Beginning::Tar);
        assert_eq!(Beginning::of(&[0; BLOCK]), Beginning::Tar);
        assert_eq!(Beginning::of(b""), Beginning::Empty);
        let mut broken = header(b"file");
        broken[0] = b'g';
        assert_eq!(Beginning::of(&broken), Beginning::Other);
        assert_eq!(Beginning::of(&header(b"file")[..511]), Beginning::Other);
        assert_eq!(Beginning::of(b"just text"), Beginning::Other);
    }

    #[test]
    fn a_tar_whose_first_name_begins_like_compressed_data_is_what_the_daemon_takes_it_for() {
        assert_eq!(Beginning::of(&header(b"BZh9")), Beginning::Compressed("bzip2"));
        assert_eq!(Beginning::of(&header(b"P*M\x18")), Beginning::Compressed("zstd"));
        assert_eq!(Beginning::of(&[0x1f, 0x8b, 0x08, 0]), Beginning::Compressed("gzip"));
        assert_eq!(Beginning::of(&[0x28, 0xb5, 0x2f, 0xfd]), Beginning::Compressed("zstd"));
        assert_eq!(Beginning::of(&[0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]), Beginning::Compressed("xz"));
    }
}
