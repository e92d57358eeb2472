// Lines with a password in them: nothing keeps them, and no screen shows the password.

const SECRET = /^\s*(\/(?:register|login|password|forget|identify))\s+\S/iu;

/** Whether a typed line has a password in it. @param {string} text */
export function isSecret(text) {
  return SECRET.test(text);
}

/** What is shown of a typed line. @param {string} text */
export function shownOf(text) {
  return isSecret(text) ? `${SECRET.exec(text)?.[1]} ...` : text;
}
