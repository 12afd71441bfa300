#include "engine/wire/ocsp.hpp"

#include <openssl/ocsp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>

namespace gimbal {
namespace {

struct Release {
  void operator()(OCSP_RESPONSE* p) const noexcept { OCSP_RESPONSE_free(p); }
  void operator()(OCSP_BASICRESP* p) const noexcept { OCSP_BASICRESP_free(p); }
  void operator()(OCSP_CERTID* p) const noexcept { OCSP_CERTID_free(p); }
};
template <class T>
using Owned = std::unique_ptr<T, Release>;

constexpr long clock_slack_s = 300;

bool good_for(OCSP_BASICRESP* basic, X509* leaf, X509* issuer) {
  const Owned<OCSP_CERTID> id{OCSP_cert_to_id(nullptr, leaf, issuer)};
  int status = V_OCSP_CERTSTATUS_UNKNOWN;
  int reason = 0;
  ASN1_GENERALIZEDTIME* revoked = nullptr;
  ASN1_GENERALIZEDTIME* from = nullptr;
  ASN1_GENERALIZEDTIME* until = nullptr;
  if (!id) return false;
  if (OCSP_resp_find_status(basic, id.get(), &status, &reason, &revoked, &from, &until) != 1) {
    return true;  // speaks of other certificates only
  }
  return status == V_OCSP_CERTSTATUS_GOOD &&
         OCSP_check_validity(from, until, clock_slack_s, -1) == 1;
}

}  // namespace

int check_stapled_ocsp(ssl_st* ssl, void* /*argument*/) {
  const unsigned char* der = nullptr;
  const long size = SSL_get_tlsext_status_ocsp_resp(ssl, &der);
  if (size <= 0 || der == nullptr) return 1;
  const Owned<OCSP_RESPONSE> response{d2i_OCSP_RESPONSE(nullptr, &der, size)};
  if (!response || OCSP_response_status(response.get()) != OCSP_RESPONSE_STATUS_SUCCESSFUL)
    return 0;
  const Owned<OCSP_BASICRESP> basic{OCSP_response_get1_basic(response.get())};
  STACK_OF(X509)* chain = SSL_get0_verified_chain(ssl);
  if (!basic || chain == nullptr || sk_X509_num(chain) < 2) return 0;
  X509_STORE* roots = SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl));
  if (OCSP_basic_verify(basic.get(), chain, roots, 0) != 1) return 0;
  return good_for(basic.get(), sk_X509_value(chain, 0), sk_X509_value(chain, 1)) ? 1 : 0;
}

}  // namespace gimbal
