// Whether a file is a valid OpenAPI document, by the specification's own schema and its references.
//
//   openapi.js FILE     says nothing, or what is wrong
'use strict';
const SwaggerParser = require('@apidevtools/swagger-parser');

SwaggerParser.validate(process.argv[2]).catch((error) => {
  console.log(error.message);
});
