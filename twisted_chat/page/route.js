// Which of the chat's addresses is tried next, of those where a session may go on: each once in a round.

const MOST = 16; // addresses of a chat, whatever a server tells
const HERE = /^(127\.[\d.]+|\[::1\]|(.+\.)?localhost)$/u;

/** @param {URL} url */
const isHere = ({ hostname }) => HERE.test(hostname);

/** Whether nobody can read along on the way there. @param {URL} url */
const isPrivate = (url) => url.protocol === "https:" || isHere(url);

/**
 * Those of the addresses that the server tells where a session may go on: pages whose way is as private as that to
 * our own, and none on the machine of somebody whose page is from elsewhere.
 * @param {string[]} told @param {string} origin of our page
 */
export function elsewhere(told, origin) {
  const own = new URL(origin);
  const found = told.slice(0, MOST).filter((each) => {
    if (!/^https?:/u.test(each) || !URL.canParse(each)) return false;
    const url = new URL(each);
    return url.origin === each && (isPrivate(url) || !isPrivate(own)) && (isHere(own) || !isHere(url));
  });
  return [...new Set(found)].filter((each) => each !== origin);
}

export class Route {
  /** @type {string[]} */
  #all;
  /** @type {Set<string>} */
  #tried = new Set();

  /** @param {string} origin of our page */
  constructor(origin) {
    this.origin = origin;
    this.#all = [origin];
  }

  /** The first one that has not been tried in this round. */
  get next() {
    return this.#all.find((each) => !this.#tried.has(each));
  }

  /** The server tells where the chat is, too. @param {string[]} told */
  learn(told) {
    this.#all = [this.origin, ...elsewhere(told, this.origin)];
  }

  /** @param {string[]} tried what counts as tried in the new round */
  begin(...tried) {
    this.#tried = new Set(tried);
  }

  /** Try the next one. */
  take() {
    const next = this.next ?? this.origin;
    this.#tried.add(next);
    return next;
  }
}
