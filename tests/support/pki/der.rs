//! Just enough DER to write a certificate that no library would make (X.690, RFC 5280).

/// One element: a tag and what is in it.
pub fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut der = vec![tag];
    match u8::try_from(length) {
        Ok(short @ 0..=0x7f) => der.push(short),
        _ => {
            let bytes: Vec<u8> =
                length.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
            der.push(0x80 | u8::try_from(bytes.len()).unwrap());
            der.extend(bytes);
        }
    }
    der.extend_from_slice(content);
    der
}

pub fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    element(0x30, &parts.concat())
}

pub fn set(parts: &[Vec<u8>]) -> Vec<u8> {
    element(0x31, &parts.concat())
}

/// `[n] EXPLICIT` or a constructed `[n] IMPLICIT`.
pub fn constructed(number: u8, content: &[u8]) -> Vec<u8> {
    element(0xa0 | number, content)
}

/// A primitive `[n] IMPLICIT`.
pub fn primitive(number: u8, content: &[u8]) -> Vec<u8> {
    element(0x80 | number, content)
}

/// An INTEGER of these bytes, as they are.
pub fn integer(content: &[u8]) -> Vec<u8> {
    element(0x02, content)
}

pub fn boolean(value: bool) -> Vec<u8> {
    element(0x01, &[if value { 0xff } else { 0 }])
}

pub fn octets(content: &[u8]) -> Vec<u8> {
    element(0x04, content)
}

/// A BIT STRING of whole bytes.
pub fn bits(content: &[u8]) -> Vec<u8> {
    element(0x03, &[&[0], content].concat())
}

/// A BIT STRING of named bits: shortest form, numbered from the left.
pub fn named_bits(set: &[u8]) -> Vec<u8> {
    let Some(last) = set.iter().max() else { return element(0x03, &[0]) };
    let mut content = vec![0; usize::from(last / 8) + 2];
    content[0] = 7 - last % 8;
    for bit in set {
        content[usize::from(bit / 8) + 1] |= 0x80 >> (bit % 8);
    }
    element(0x03, &content)
}

/// An OBJECT IDENTIFIER in dots.
pub fn oid(dotted: &str) -> Vec<u8> {
    let numbers: Vec<u64> = dotted.split('.').map(|number| number.parse().unwrap()).collect();
    let first = numbers[0] * 40 + numbers[1];
    let content: Vec<u8> =
        std::iter::once(first).chain(numbers[2..].iter().copied()).flat_map(base128).collect();
    element(0x06, &content)
}

fn base128(mut number: u64) -> Vec<u8> {
    let mut bytes = vec![u8::try_from(number & 0x7f).unwrap()];
    while number > 0x7f {
        number >>= 7;
        bytes.insert(0, 0x80 | u8::try_from(number & 0x7f).unwrap());
    }
    bytes
}

/// Bytes written as hexadecimal digits.
pub fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.bytes().filter(|byte| *byte != b' ').collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    assert!(digits.len().is_multiple_of(2), "half a byte");
    digits.chunks(2).map(byte).collect()
}

/// The content of an element whose length takes whatever form.
pub fn content(der: &[u8]) -> &[u8] {
    match der[1] {
        short @ 0..=0x7f => &der[2..2 + usize::from(short)],
        long => &der[2 + usize::from(long & 0x7f)..],
    }
}
