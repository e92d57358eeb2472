// The page's rules: above all, that no text ever becomes markup, a style or a script.
const MARKUP = ["innerHTML", "outerHTML", "insertAdjacentHTML", "setHTML", "setHTMLUnsafe", "srcdoc", "createContextualFragment", "parseFromString"];

export default [
  { ignores: ["**/node_modules/"] },
  {
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      eqeqeq: "error",
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-new-func": "error",
      "no-script-url": "error",
      "no-undef": "off", // TypeScript's
      "no-unused-vars": "off", // TypeScript's
      "no-var": "error",
      "prefer-const": "error",
      "no-shadow-restricted-names": "error",
      "no-unreachable": "error",
      "no-restricted-properties": [
        "error",
        ...MARKUP.map((property) => ({ property, message: "A text is a text node, never markup." })),
        { object: "document", property: "write", message: "A text is a text node, never markup." },
        { property: "cssText", message: "Set one property." },
      ],
      "no-restricted-syntax": [
        "error",
        { selector: "CallExpression[callee.property.name='setAttribute'] > Literal[value=/^(style|on.*)$/i]:first-child", message: "No inline style, no inline script." },
        { selector: `Literal[value=/^(${MARKUP.join("|")})$/]`, message: "A text is a text node, never markup." },
      ],
    },
  },
  {
    files: ["**/eslint.config.js", "**/unit/**", "**/e2e/**"],
    rules: { "no-restricted-syntax": "off", "no-restricted-properties": "off", "no-script-url": "off" }, // they name what is forbidden
  },
];
