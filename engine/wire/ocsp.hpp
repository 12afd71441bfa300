// Room: engine/wire, cold. Judges the OCSP answer that a server may staple to its handshake.
#pragma once

struct ssl_st;

namespace gimbal {

// OpenSSL status callback. No staple: accepted (nothing was claimed). A staple must be signed for
// this chain, be within its dates, and say "good" or not speak of the leaf; else the peer is
// refused.
int check_stapled_ocsp(ssl_st* ssl, void* argument);

}  // namespace gimbal
