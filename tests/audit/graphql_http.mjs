// Runs the audits of the GraphQL-over-HTTP reference implementation against a running server.
// Usage: node graphql_http.mjs URL [TOKEN]; exits 1 unless every audit is ok.
import { serverAudits } from 'graphql-http';

const [url, token] = process.argv.slice(2);
if (!url) {
  console.error('usage: node graphql_http.mjs URL [TOKEN]');
  process.exit(2);
}

const fetchFn = (input, init = {}) =>
  fetch(input, {
    ...init,
    headers: { ...init.headers, ...(token && { authorization: `Bearer ${token}` }) },
  });

const audits = serverAudits({ url, fetchFn });
const failed = [];
for (const audit of audits) {
  const result = await audit.fn();
  if (result.status !== 'ok') {
    failed.push(result);
    console.error(`${result.status} ${result.id} ${result.name}: ${result.reason}`);
  }
}
console.log(`${audits.length - failed.length} passed, ${failed.length} failed`);
process.exit(failed.length === 0 && audits.length > 0 ? 0 : 1);
