/** A plugin of codegen's: for each interface and union of the schema, the types that it may be. */
const { isAbstractType } = require('graphql');

module.exports.plugin = (schema) => {
  const abstract = Object.values(schema.getTypeMap()).filter(isAbstractType);
  const members = abstract.map((type) => [type.name, schema.getPossibleTypes(type).map(({ name }) => name)]);
  return `export const possibleTypes = ${JSON.stringify(Object.fromEntries(members), null, 2)} as const;\n`;
};
