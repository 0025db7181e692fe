//! How signatures are spelled, and how configured secrets become keys.

use base64::{
    Engine,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use sha1::{Digest, Sha1};
use smallvec::SmallVec;
use zeroize::Zeroizing;

/// The longest signature that is a MAC or a digest, in bytes.
pub(crate) const MAX_SIGNATURE: usize = 64;

/// The longest signature of any algorithm, in bytes: RSA with 8192 bits.
const MAX_PUBLIC_SIGNATURE: usize = 1024;

/// A decoded signature.
pub(crate) type SignatureBytes = SmallVec<[u8; MAX_SIGNATURE]>;

/// How a signature is spelled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// Padded standard alphabet.
    Base64,
    /// Standard alphabet, padding optional.
    Base64Any,
    /// Padded standard alphabet, of the bytes' lower-case hex.
    Base64Hex,
    /// Padded standard alphabet, percent-encoded as in a URL.
    Base64Percent,
    /// URL-safe alphabet, padding optional.
    Base64Url,
    /// Lower-case digits only.
    #[default]
    Hex,
    /// Either case.
    HexAny,
}

const STRICT: GeneralPurpose = GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new());
const INDIFFERENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const ANY: GeneralPurpose = GeneralPurpose::new(&STANDARD, INDIFFERENT);
const URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, INDIFFERENT.with_encode_padding(false));

impl Encoding {
    /// The names of the language.
    pub(crate) const NAMES: &'static [&'static str] =
        &["hex", "hex-any", "base64", "base64-any", "base64-hex", "base64-percent", "base64url"];

    /// Reads a name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "hex" => Self::Hex,
            "hex-any" => Self::HexAny,
            "base64" => Self::Base64,
            "base64-any" => Self::Base64Any,
            "base64-hex" => Self::Base64Hex,
            "base64-percent" => Self::Base64Percent,
            "base64url" => Self::Base64Url,
            _ => return None,
        })
    }

    /// The name in the language.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Hex => "hex",
            Self::HexAny => "hex-any",
            Self::Base64 => "base64",
            Self::Base64Any => "base64-any",
            Self::Base64Hex => "base64-hex",
            Self::Base64Percent => "base64-percent",
            Self::Base64Url => "base64url",
        }
    }

    /// Decodes a signature of exactly `expected` bytes; `None` for any other text.
    pub(crate) fn decode(self, text: &[u8], expected: usize) -> Option<SignatureBytes> {
        // The longest spelling that can be right bounds what is looked at.
        let longest = match self {
            Self::Base64Percent => 4,
            Self::Base64Hex => 3,
            _ => 2,
        };
        if text.len() > expected.saturating_mul(longest) {
            return None;
        }
        let mut out = [0_u8; 2 * MAX_SIGNATURE];
        let len = match self {
            Self::Hex => unhex(text, &mut out, &LOWER)?,
            Self::HexAny => unhex(text, &mut out, &ANY_CASE)?,
            Self::Base64 => STRICT.decode_slice(text, &mut out).ok()?,
            Self::Base64Any => ANY.decode_slice(text, &mut out).ok()?,
            Self::Base64Hex => unhex(&STRICT.decode(text).ok()?, &mut out, &LOWER)?,
            Self::Base64Percent => STRICT.decode_slice(unpercent(text)?, &mut out).ok()?,
            Self::Base64Url => URL.decode_slice(text, &mut out).ok()?,
        };
        let decoded = out.get(..len).filter(|d| d.len() == expected)?;
        Some(SignatureBytes::from_slice(decoded))
    }

    /// Decodes a signature whose length depends on the key; `None` for any other text.
    pub(crate) fn decode_any(self, text: &[u8]) -> Option<SignatureBytes> {
        if text.is_empty() || text.len() > 2 * MAX_PUBLIC_SIGNATURE {
            return None;
        }
        let decoded = match self {
            Self::Base64Hex => return Self::Hex.decode_any(&STRICT.decode(text).ok()?),
            Self::Hex if text.iter().any(u8::is_ascii_uppercase) => return None,
            Self::Hex | Self::HexAny => hex::decode(text).ok()?,
            Self::Base64 => STRICT.decode(text).ok()?,
            Self::Base64Any => ANY.decode(text).ok()?,
            Self::Base64Percent => STRICT.decode(unpercent(text)?).ok()?,
            Self::Base64Url => URL.decode(text).ok()?,
        };
        (decoded.len() <= MAX_PUBLIC_SIGNATURE).then(|| SignatureBytes::from_vec(decoded))
    }

    /// Spells a signature as the provider does.
    pub(crate) fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex | Self::HexAny => hex::encode(bytes),
            Self::Base64 | Self::Base64Any => STRICT.encode(bytes),
            Self::Base64Hex => STRICT.encode(hex::encode(bytes)),
            Self::Base64Percent => {
                STRICT.encode(bytes).replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
            }
            Self::Base64Url => URL.encode(bytes),
        }
    }
}

/// Takes back what a URL would do to base64: only its own three signs may be escaped.
fn unpercent(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let (byte, after) = match (byte, after) {
            (b'%', [b'2', b'B' | b'b', after @ ..]) => (b'+', after),
            (b'%', [b'2', b'F' | b'f', after @ ..]) => (b'/', after),
            (b'%', [b'3', b'D' | b'd', after @ ..]) => (b'=', after),
            (b'%', _) => return None,
            plain => plain,
        };
        out.push(byte);
        rest = after;
    }
    Some(out)
}

/// What each byte stands for as a digit; [`NO_DIGIT`] for those that are none.
type Digits = [u8; 256];

const NO_DIGIT: u8 = 0xff;
static LOWER: Digits = digits(false);
static ANY_CASE: Digits = digits(true);

#[expect(
    clippy::indexing_slicing,
    reason = "evaluated at compile time, where it would not compile"
)]
const fn digits(upper: bool) -> Digits {
    let mut table = [NO_DIGIT; 256];
    let mut digit = 0_u8;
    while digit < 16 {
        let lower = if digit < 10 { b'0' + digit } else { b'a' + digit - 10 };
        table[lower as usize] = digit;
        if upper {
            table[lower.to_ascii_uppercase() as usize] = digit;
        }
        digit += 1;
    }
    table
}

/// Decodes whole pairs of digits into the front of `out`; how many bytes that are.
fn unhex(text: &[u8], out: &mut [u8], digits: &Digits) -> Option<usize> {
    let (pairs, rest) = text.as_chunks::<2>();
    if !rest.is_empty() || pairs.len() > out.len() {
        return None;
    }
    let digit = |byte: u8| digits.get(usize::from(byte)).copied().unwrap_or(NO_DIGIT);
    let mut seen = 0;
    for (to, [high, low]) in out.iter_mut().zip(pairs) {
        let (high, low) = (digit(*high), digit(*low));
        seen |= high | low;
        *to = high << 4 | (low & 0x0f);
    }
    // A digit has no bits above the fourth.
    (seen & 0xf0 == 0).then_some(pairs.len())
}

/// How a configured secret becomes a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct KeyCoding {
    /// The encoding of the secret's text.
    pub(crate) encoding: KeyEncoding,
    /// Stripped if it is there.
    pub(crate) prefix: Option<Box<str>>,
    /// The shortest key after decoding, in bytes.
    pub(crate) min_bytes: Option<usize>,
    /// The key is the SHA-1 of what was decoded.
    pub(crate) sha1: bool,
}

/// The encoding of a secret's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum KeyEncoding {
    /// Standard base64, padding optional.
    Base64,
    /// Digits of either case.
    Hex,
    /// The bytes themselves.
    #[default]
    Utf8,
}

impl KeyEncoding {
    /// The names of the language.
    pub(crate) const NAMES: &'static [&'static str] = &["utf8", "hex", "base64"];

    /// Reads a name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "utf8" => Self::Utf8,
            "hex" => Self::Hex,
            "base64" => Self::Base64,
            _ => return None,
        })
    }
}

impl KeyCoding {
    /// Decodes a secret.
    ///
    /// # Errors
    ///
    /// What is wrong with it, without a byte of it.
    pub(crate) fn decode(&self, secret: &[u8]) -> Result<Zeroizing<Vec<u8>>, String> {
        if secret.iter().all(u8::is_ascii_whitespace) {
            let what = if secret.is_empty() { "is empty" } else { "is blank" };
            return Err(what.to_owned());
        }
        let bare = match &self.prefix {
            Some(prefix) => secret.strip_prefix(prefix.as_bytes()).unwrap_or(secret),
            None => secret,
        };
        let key = match self.encoding {
            KeyEncoding::Utf8 => bare.to_vec(),
            KeyEncoding::Hex => hex::decode(bare)
                .map_err(|_| "is not hexadecimal, as this provider's secrets are".to_owned())?,
            KeyEncoding::Base64 => ANY
                .decode(bare)
                .map_err(|_| "is not base64, as this provider's secrets are".to_owned())?,
        };
        let key = Zeroizing::new(key);
        if key.is_empty() {
            return Err("is empty".to_owned());
        }
        match self.min_bytes {
            Some(min) if key.len() < min => Err(format!(
                "is {} bytes after decoding, and this provider's secrets have at least {min}",
                key.len()
            )),
            _ if self.sha1 => Ok(Zeroizing::new(Sha1::digest(&key).to_vec())),
            _ => Ok(key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_one_spelling_is_taken() {
        let hex = "00ff".repeat(8);
        assert!(Encoding::Hex.decode(hex.as_bytes(), 16).is_some());
        assert!(Encoding::Hex.decode(hex.to_uppercase().as_bytes(), 16).is_none());
        assert!(Encoding::HexAny.decode(hex.to_uppercase().as_bytes(), 16).is_some());
        for bad in
            ["", "0", "00", &format!("{hex}0"), &format!("{hex}00"), &hex.replace("00", "0g")]
        {
            assert!(Encoding::Hex.decode(bad.as_bytes(), 16).is_none(), "{bad}");
        }
        // 20 bytes end in one padding character; the last digit carries two unused bits.
        let text = Encoding::Base64.encode(&[7; 20]);
        assert!(Encoding::Base64.decode(text.as_bytes(), 20).is_some());
        let bare = text.trim_end_matches('=');
        assert!(Encoding::Base64.decode(bare.as_bytes(), 20).is_none());
        assert!(Encoding::Base64Any.decode(bare.as_bytes(), 20).is_some());
        assert!(Encoding::Base64Url.decode(bare.as_bytes(), 20).is_some());
        let mut odd = bare.to_owned();
        odd.pop();
        odd.push('d');
        assert!(Encoding::Base64Any.decode(odd.as_bytes(), 20).is_none(), "stray bits");
        assert!(Encoding::Base64.decode(&[b'A'; 10_000], 20).is_none());
    }

    #[test]
    fn hex_may_be_wrapped_in_base64() {
        for len in [20, 32, 64] {
            let bytes: Vec<u8> = (0..len).map(|i| 0xfb ^ i).collect();
            let text = Encoding::Base64Hex.encode(&bytes);
            let decoded = Encoding::Base64Hex.decode(text.as_bytes(), len.into()).unwrap();
            assert_eq!(*decoded, *bytes);
            assert_eq!(*Encoding::Base64Hex.decode_any(text.as_bytes()).unwrap(), *bytes);
            let hex = hex::encode(&bytes);
            for bad in
                [hex.to_ascii_uppercase(), format!("{hex}0"), format!("{hex}00"), "g".repeat(40)]
            {
                let bad = Encoding::Base64.encode(bad.as_bytes());
                assert!(Encoding::Base64Hex.decode(bad.as_bytes(), len.into()).is_none(), "{bad}");
            }
            assert!(Encoding::Base64Hex.decode(hex.as_bytes(), len.into()).is_none());
        }
    }

    #[test]
    fn escaped_base64_is_that_of_a_url() {
        let bytes: Vec<u8> = (0..20).map(|i| 0xfb ^ i).collect();
        let plain = Encoding::Base64.encode(&bytes);
        let escaped = Encoding::Base64Percent.encode(&bytes);
        assert!(plain.contains('+') && plain.ends_with('=') && !escaped.contains(['+', '/', '=']));
        let lower = escaped.replace("%2B", "%2b").replace("%2F", "%2f").replace("%3D", "%3d");
        for good in [&plain, &escaped, &lower] {
            let decoded = Encoding::Base64Percent.decode(good.as_bytes(), 20).unwrap();
            assert_eq!(*decoded, *bytes, "{good}");
            let decoded = Encoding::Base64Percent.decode_any(good.as_bytes()).unwrap();
            assert_eq!(*decoded, *bytes, "{good}");
        }
        for bad in ["%", "%2", "%3", "%41", "%2525", "%zz"] {
            let text = format!("{}{bad}", escaped.trim_end_matches("%3D"));
            assert!(Encoding::Base64Percent.decode(text.as_bytes(), 20).is_none(), "{bad}");
            assert!(Encoding::Base64Percent.decode_any(text.as_bytes()).is_none(), "{bad}");
        }
        assert!(Encoding::Base64.decode(escaped.as_bytes(), 20).is_none());
    }

    #[test]
    fn secrets_are_decoded_or_described() {
        let whsec = KeyCoding {
            encoding: KeyEncoding::Base64,
            prefix: Some("whsec_".into()),
            min_bytes: Some(4),
            sha1: false,
        };
        assert_eq!(*whsec.decode(b"whsec_AQIDBA==").unwrap(), [1, 2, 3, 4]);
        assert_eq!(*whsec.decode(b"AQIDBA").unwrap(), [1, 2, 3, 4]);
        assert_eq!(whsec.decode(b"whsec_").unwrap_err(), "is empty");
        assert!(whsec.decode(b"AQID").unwrap_err().starts_with("is 3 bytes"));
        for secret in [&b""[..], b" \n", b"whsec_hunter 2"] {
            let text = whsec.decode(secret).unwrap_err();
            assert!(!text.contains("hunter"), "{text}");
        }
        let utf8 = KeyCoding::default();
        assert_eq!(*utf8.decode(b"whsec_x ").unwrap(), *b"whsec_x ");
    }
}
