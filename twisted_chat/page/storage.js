// What outlives a reload, in the storage of the origin: never a password, and harmless where there is no storage.

/** @param {string} name @returns {any} null if there is nothing that can be read */
export function load(name) {
  try {
    return JSON.parse(localStorage.getItem("chat." + name) ?? "null");
  } catch {
    return null;
  }
}

/** @param {string} name @param {unknown} value null forgets it */
export function save(name, value) {
  try {
    if (value === null) localStorage.removeItem("chat." + name);
    else localStorage.setItem("chat." + name, JSON.stringify(value));
  } catch {
    // no storage, or a full one: the page works without
  }
}
