/* The same OpenID provider as ../shared/servers/oidc_provider runs, set up as a company's: it says who somebody is and which
   address is theirs. Whoever signs in as "ana" has ana@team.test, confirmed; as "ana-unsure" the same address, not confirmed. */
import Provider from "oidc-provider";
const [port, redirect] = process.argv.slice(2);
const about = (id) => ({
  sub: id, name: `User ${id}`, preferred_username: id.replace("-unsure", ""),
  email: `${id.replace("-unsure", "")}@team.test`, email_verified: !id.endsWith("-unsure"),
});
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{ client_id: "alwrity", client_secret: "company-secret", grant_types: ["authorization_code"], response_types: ["code"], redirect_uris: [redirect] }],
  claims: { openid: ["sub"], profile: ["name", "preferred_username"], email: ["email", "email_verified"] },
  findAccount: (context, id) => ({ accountId: id, claims: async () => about(id) }),
  pkce: { required: () => true },
  features: { devInteractions: { enabled: true } },
  cookies: { keys: ["test-only"] },
  ttl: { AccessToken: 600, AuthorizationCode: 60, IdToken: 600, Interaction: 600, Session: 600, Grant: 600 },
});
provider.listen(+port, "127.0.0.1", () => console.log("ready"));
