// What outlives a reload, in the storage of the origin or of this tab: never a password, and harmless where there is none.

/** @param {string} name @param {boolean} ofTab @returns {any} null if there is nothing that can be read */
export function load(name, ofTab = false) {
  try {
    return JSON.parse((ofTab ? sessionStorage : localStorage).getItem("chat." + name) ?? "null");
  } catch {
    return null;
  }
}

/** @param {string} name @param {unknown} value null forgets it @param {boolean} ofTab */
export function save(name, value, ofTab = false) {
  try {
    const storage = ofTab ? sessionStorage : localStorage;
    if (value === null) storage.removeItem("chat." + name);
    else storage.setItem("chat." + name, JSON.stringify(value));
  } catch {
    // no storage, or a full one: the page works without
  }
}
