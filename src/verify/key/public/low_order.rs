//! Ed25519 keys that protect nothing.
//!
//! With a point of small order as public key, one signature holds for many messages, and anybody
//! can make it. RFC 8032 lets verifiers take such keys; no signer has one.

/// The last of the field's elements is 2^255 - 20; greater numbers are second spellings.
const FIRST_BYTE_OF_PRIME: u8 = 0xed;

/// The y coordinates of the eight points of small order, little-endian; two signs of x each.
const SMALL_ORDER: [[u8; 32]; 5] = [
    of_ends(0x00, 0x00, 0x00),
    of_ends(0x01, 0x00, 0x00),
    of_ends(FIRST_BYTE_OF_PRIME - 1, 0xff, 0x7f),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
];

const fn of_ends(first: u8, middle: u8, last: u8) -> [u8; 32] {
    let mut bytes = [middle; 32];
    bytes[0] = first;
    bytes[31] = last;
    bytes
}

/// Whether the key is spelled in the only right way and is no point of small order.
pub(super) fn is_acceptable(key: &[u8; 32]) -> bool {
    let mut y = *key;
    if let Some(last) = y.last_mut() {
        *last &= 0x7f;
    }
    let [first, middle @ .., last] = &y;
    let beyond_prime =
        *first >= FIRST_BYTE_OF_PRIME && middle.iter().all(|b| *b == 0xff) && *last == 0x7f;
    !beyond_prime && !SMALL_ORDER.contains(&y)
}
