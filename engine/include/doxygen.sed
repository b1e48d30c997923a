# The headers' comments as Doxygen wants them, so that the headers need no marks of its own.
# The first comment is the file's.
1s,^// ,/// @file\
/// ,
1s,^/\* ,/** @file\
 * ,
# Above what they are about: // and /* ... */.
s,^\( *\)//\( \|$\),\1///\2,
2,$s,^\( *\)/\* ,\1/** ,
# Beside it, but for the end of a namespace.
/^ *[^ /}*#].*  *\/\/ /s,  *// , ///< ,
/^ *[^ /}*#].* \/\* /s, /\* , /**< ,
