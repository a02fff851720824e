/** What OpenSSL's codes say (X509_V_ERR_…, reasons, alerts), in the words of the settings. The first that fits counts. */
const MEANINGS: readonly (readonly [RegExp, string])[] = [
  [/^CERT_HAS_EXPIRED$/, "the peer's certificate has expired"],
  [/^CERT_NOT_YET_VALID$/, "the peer's certificate is not valid yet"],
  [
    /SELF_SIGNED_CERT|UNABLE_TO_(GET_ISSUER|VERIFY_LEAF)/,
    "the trust store does not have the peer's certificate or its authority",
  ],
  [/^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|RECORD_LAYER_FAILURE)$/, 'the peer does not speak TLS'],
  [/^ERR_SSL_(HTTP_REQUEST|HTTPS_PROXY_REQUEST)$/, 'the peer speaks HTTP without TLS'],
  [/ALERT_PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/, 'no TLS version of ssl.enabled.protocols suits both sides'],
  [/NO_SHARED_CIPHER|NO_CIPHERS_AVAILABLE/, 'no cipher suite suits both sides'],
  [/ALERT_HANDSHAKE_FAILURE/, 'the peer found no cipher suite that suits both sides, or missed a certificate'],
  [/DID_NOT_RETURN_A_CERTIFICATE/, 'the peer showed no certificate'],
  [/ALERT_CERTIFICATE_REQUIRED/, 'the peer asks for a certificate, and there is no key store'],
  [
    /ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_UNKNOWN|ACCESS_DENIED)/,
    'the peer does not trust the certificate of this side',
  ],
  [/ALERT_CERTIFICATE_EXPIRED/, 'the certificate of this side has expired, says the peer'],
  [/^ERR_TLS_HANDSHAKE_TIMEOUT$/, 'it took too long'],
];

/** Codes of certificates that are not accepted; the other errors of TLS can be told by their beginning. */
const VERIFICATION =
  /^(CERT_|CRL_|SELF_SIGNED_CERT|DEPTH_ZERO_|UNABLE_TO_|INVALID_(CA|PURPOSE)|PATH_LENGTH_|HOSTNAME_MISMATCH|ERROR_IN_CERT)/;

/** OpenSSL's own line, in errors without a code: `…:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:…`. */
const OPENSSL_LINE = /:SSL routines:[^:]*:([^:]+):/;

/** Why TLS could not be agreed on, or null for an error of another kind. */
export function tlsProblem(error: Error): string | null {
  const { code = '' } = error as NodeJS.ErrnoException;
  const reason = OPENSSL_LINE.exec(error.message)?.[1];
  const isTls = reason !== undefined || /^ERR_(SSL|TLS)_/.test(code) || VERIFICATION.test(code);
  if (!isTls) return null;
  const symbol = reason === undefined ? code : `ERR_SSL_${reason.toUpperCase().replaceAll(' ', '_')}`;
  return MEANINGS.find(([pattern]) => pattern.test(symbol))?.[1] ?? reason ?? error.message;
}
