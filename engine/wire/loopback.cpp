#include "engine/wire/loopback.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace gimbal {
namespace {

constexpr const char* peer_name = "rehearsal.invalid";  // RFC 2606: resolves nowhere
constexpr long clock_slack_s = 86'400;
constexpr long life_s = 20L * 365 * 86'400;
constexpr int handshake_turns_max = 16;

struct Identity {
  std::string certificate;  // PEM
  std::string key;          // PEM
};

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string{};
}

bool extend(X509* certificate, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
  const bool added = extension != nullptr && X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

bool sign_certificate(X509* certificate, EVP_PKEY* key) {
  X509_NAME* name = X509_get_subject_name(certificate);
  const std::string names = std::string{"DNS:"} + peer_name;
  return X509_set_version(certificate, 2) == 1 &&
         ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) == 1 &&
         X509_gmtime_adj(X509_getm_notBefore(certificate), -clock_slack_s) != nullptr &&
         X509_gmtime_adj(X509_getm_notAfter(certificate), life_s) != nullptr &&
         X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                    reinterpret_cast<const unsigned char*>(peer_name), -1, -1,
                                    0) == 1 &&
         X509_set_issuer_name(certificate, name) == 1 && X509_set_pubkey(certificate, key) == 1 &&
         extend(certificate, NID_basic_constraints, "critical,CA:TRUE") &&
         extend(certificate, NID_subject_alt_name, names.c_str()) &&
         X509_sign(certificate, key, EVP_sha256()) > 0;
}

// A key and its own root, as PEM; empty texts when OpenSSL refuses.
Identity make_identity() {
  Identity made;
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  BIO* out = BIO_new(BIO_s_mem());
  BIO* secret = BIO_new(BIO_s_mem());
  if (key != nullptr && certificate != nullptr && out != nullptr && secret != nullptr &&
      sign_certificate(certificate, key) && PEM_write_bio_X509(out, certificate) == 1 &&
      PEM_write_bio_PrivateKey(secret, key, nullptr, nullptr, 0, nullptr, nullptr) == 1) {
    made = {text_of(out), text_of(secret)};
  }
  BIO_free(secret);
  BIO_free(out);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return made;
}

std::string failed(const char* step) {
  return std::string{"loopback pair: "} + step + ": " + std::strerror(errno);
}

// No network stack and no name: a message costs a third of what TCP over loopback takes, and no
// other process can take part.
bool connect_sockets(Established& client, Established& server, std::string& error) {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
    error = failed("socketpair");
    return false;
  }
  client.fd = ends[0];
  server.fd = ends[1];
  return true;
}

// The handshake in memory: nothing of it crosses the sockets.
bool shake_hands(Channel& client, Channel& server) {
  const auto step = [](Channel& to, Channel& from) {
    to.feed(from.out());
    const ChannelStatus status = to.handshake();
    from.sent(from.out().size());
    return status;
  };
  ChannelStatus near = client.handshake();
  ChannelStatus far = ChannelStatus::need_more;
  for (int turn = 0; turn < handshake_turns_max; ++turn) {
    if (near == ChannelStatus::failed || far == ChannelStatus::failed) return false;
    if (near == ChannelStatus::ok && far == ChannelStatus::ok && server.out().empty()) return true;
    far = step(server, client);
    near = step(client, server);
  }
  return false;
}

bool secure(LoopbackPair& pair, std::string& error) {
  const Identity identity = make_identity();
  TlsConfig config;
  config.ca_pem = identity.certificate;
  const auto verifying = TlsContext::make(config, error);
  const auto serving = TlsContext::make_server(identity.certificate, identity.key, error);
  if (verifying == nullptr || serving == nullptr) return false;
  pair.client->channel = Channel::tls_client(verifying, peer_name, error);
  pair.server->channel = Channel::tls_server(serving, error);
  if (pair.client->channel == nullptr || pair.server->channel == nullptr) return false;
  if (shake_hands(*pair.client->channel, *pair.server->channel)) return true;
  error = "loopback pair: " + pair.client->channel->last_error();
  return false;
}

}  // namespace

LoopbackPair make_loopback_pair(std::string& error) {
  LoopbackPair pair{std::make_unique<Established>(), std::make_unique<Established>()};
  if (!connect_sockets(*pair.client, *pair.server, error) || !secure(pair, error)) return {};
  for (Established* end : {pair.client.get(), pair.server.get()}) {
    end->peer = "this process";
    end->security = end->channel->describe();
  }
  auto* seed = reinterpret_cast<unsigned char*>(&pair.client->mask_seed);
  if (RAND_bytes(seed, sizeof pair.client->mask_seed) != 1) {
    error = "loopback pair: no random bytes";
    return {};
  }
  return pair;
}

}  // namespace gimbal
