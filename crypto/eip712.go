package crypto

import "encoding/binary"

// This file holds the building blocks of EIP-712, "Typed structured data
// hashing and signing". There is no reflection and no schema at run time: who
// defines a structured type writes its type text as a constant, encodes each
// member to 32 bytes with an Encode function, in the order of the type text,
// and hashes them with StructHash.
//
//	typeHash    = keccak256(encodeType)
//	hashStruct  = keccak256(typeHash ‖ encoded members)
//	digest      = keccak256(0x19 ‖ 0x01 ‖ domainSeparator ‖ hashStruct)

// domainType is the type of the signing domain, with the four members that
// this ledger uses.
const domainType = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"

var domainTypeHash = TypeHash(domainType)

// TypeHash returns the hash of a structured type's text, such as
// "Mail(Person from,Person to,string contents)Person(string name,address wallet)":
// the type itself, then the types it refers to, in the order of their names.
func TypeHash(encodedType string) Hash { return Keccak256([]byte(encodedType)) }

// StructHash returns hashStruct: the hash of the type hash and the encoded
// members, in the order of the type text. A member that is itself a structured
// type is encoded as its own StructHash. It costs one permutation for each
// 136 bytes.
func StructHash(typeHash Hash, members ...[32]byte) Hash {
	encoded := make([]byte, 0, HashSize*(1+len(members)))
	encoded = append(encoded, typeHash[:]...)
	for i := range members {
		encoded = append(encoded, members[i][:]...)
	}
	return Keccak256(encoded)
}

// EncodeUint encodes a member of any unsigned integer type that v fits.
func EncodeUint(v uint64) [32]byte {
	var word [32]byte
	binary.BigEndian.PutUint64(word[24:], v)
	return word
}

// EncodeBool encodes a member of type bool.
func EncodeBool(v bool) [32]byte {
	if v {
		return EncodeUint(1)
	}
	return [32]byte{}
}

// EncodeAddress encodes a member of type address.
func EncodeAddress(a Address) [32]byte {
	var word [32]byte
	copy(word[len(word)-AddressSize:], a[:])
	return word
}

// EncodeBytes32 encodes a member of type bytes32, which stands for itself. A
// uint256 in big-endian bytes is encoded in the same way.
func EncodeBytes32(v [32]byte) [32]byte { return v }

// EncodeString encodes a member of type string: the hash of its UTF-8 bytes.
func EncodeString(s string) [32]byte {
	if s == "" { // as memos and references mostly are
		return emptyHash
	}
	return Keccak256([]byte(s))
}

var emptyHash = Keccak256()

// EncodeBytes encodes a member of type bytes: the hash of its content.
func EncodeBytes(b []byte) [32]byte { return Keccak256(b) }

// EncodeArray encodes a member of an array type: the hash of its encoded
// elements, one after the other. It costs one permutation for each 136 bytes.
func EncodeArray(elements ...[32]byte) [32]byte {
	encoded := make([]byte, 0, HashSize*len(elements))
	for i := range elements {
		encoded = append(encoded, elements[i][:]...)
	}
	return Keccak256(encoded)
}

// DomainSeparator returns the hash of the signing domain, which binds every
// digest to one application and one network. Compute it once a network.
func DomainSeparator(name, version string, chainID uint64, verifyingContract Address) Hash {
	return StructHash(domainTypeHash,
		EncodeString(name),
		EncodeString(version),
		EncodeUint(chainID),
		EncodeAddress(verifyingContract),
	)
}

// TypedDataDigest returns what a wallet signs for a structure with the hash
// structHash in the domain.
func TypedDataDigest(domainSeparator, structHash Hash) Hash {
	return Keccak256([]byte{0x19, 0x01}, domainSeparator[:], structHash[:])
}
