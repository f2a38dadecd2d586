import tseslint from "typescript-eslint";

export default tseslint.config(
    { ignores: ["node_modules/", "out/", "dist/", "**/dist/", "sandbox/api/node_modules/"] },
    ...tseslint.configs.recommendedTypeChecked,
    {
        languageOptions: {
            parserOptions: { project: "./tsconfig.json", tsconfigRootDir: import.meta.dirname },
        },
        rules: {
            "@typescript-eslint/no-floating-promises": "error",
            "@typescript-eslint/switch-exhaustiveness-check": "error",
            "@typescript-eslint/restrict-template-expressions": [
                "error",
                { allowNumber: true, allowBoolean: true },
            ],
            "@typescript-eslint/no-unused-vars": [
                "error",
                { argsIgnorePattern: "^_", varsIgnorePattern: "^_" },
            ],
            // Values that cross a protocol or JSON boundary are checked by hand where they enter.
            "@typescript-eslint/no-unsafe-assignment": "off",
            "@typescript-eslint/no-unsafe-member-access": "off",
            "@typescript-eslint/no-unsafe-argument": "off",
            "@typescript-eslint/no-unsafe-return": "off",
            "@typescript-eslint/no-unsafe-call": "off",
            "@typescript-eslint/require-await": "off",
            // mocha's describe and it return nothing that could be awaited.
            "@typescript-eslint/no-unused-expressions": "error",
            "no-console": "off",
        },
    },
    { files: ["**/*.js", "**/*.mjs", "bin/*"], ...tseslint.configs.disableTypeChecked },
    { files: ["**/*.js", "bin/*"], rules: { "@typescript-eslint/no-require-imports": "off" } },
);
