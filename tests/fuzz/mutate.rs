//! Mutations of seeds: small, blind and reproducible, for a test that runs on every change.

/// Words that change what a text means.
const WORDS: [&str; 48] = [
    "%2f",
    "%40",
    "%00",
    "%",
    "//",
    "/../",
    "/./",
    "?",
    "&",
    ";",
    "=",
    "+",
    "#",
    "..",
    "/v1.41",
    "/v1.99",
    "null",
    "true",
    "false",
    "{}",
    "[]",
    "{\"\":",
    "\"",
    "\\u017f",
    "\\ud800",
    "-0",
    "1e5",
    "1.0",
    "1e-400",
    "9223372036854775808",
    "18446744073709551615",
    "0.1",
    ",",
    ":",
    " ",
    "\r\n",
    "\r\n\r\n",
    "0\r\n\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Content-Length: 0\r\n",
    "Upgrade: tcp\r\nConnection: Upgrade\r\n",
    "\u{202e}",
    "\u{212a}",
    "\u{17f}",
    "@sha256:",
    "*",
    "HostConfig",
    "- ",
];

/// The longest input that is made.
const LONGEST: usize = 32 << 10;

/// An endless row of mutations.
pub(crate) struct Mutator(u64);

impl Mutator {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// `xorshift64*` (Vigna 2016).
    fn random(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.random()).unwrap() % end.max(1)
    }

    /// One of the seeds, changed in one to three places.
    pub(crate) fn next(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut input = seeds[self.below(seeds.len())].clone();
        for _ in 0..=self.below(3) {
            self.change(&mut input, seeds);
        }
        input.truncate(LONGEST);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let at = self.below(input.len() + 1);
        let end = (at + self.below(16)).min(input.len());
        match self.below(8) {
            0 if at < input.len() => input[at] ^= 1 << self.below(8),
            1 if at < input.len() => input[at] = u8::try_from(self.below(256)).unwrap(),
            2 => drop(input.drain(at..end)),
            3 => {
                let piece = input[at..end].to_vec();
                let to = self.below(input.len() + 1);
                drop(input.splice(to..to, piece));
            }
            4 => {
                let other = &seeds[self.below(seeds.len())];
                let from = self.below(other.len() + 1);
                let until = (from + self.below(64)).min(other.len());
                drop(input.splice(at..end, other[from..until].iter().copied()));
            }
            5 if at < input.len() => input[at] ^= b' ',
            _ => {
                let word = WORDS[self.below(WORDS.len())];
                let over = if self.below(2) == 0 { at } else { end };
                drop(input.splice(at..over, word.bytes()));
            }
        }
    }
}
