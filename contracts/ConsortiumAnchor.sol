// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// Where gateways anchor what they delivered, and what members verify against. Nothing in it is about a person.
///
/// A bureau is named by the public key that signs its manifests (Ed25519 as it is, SM2 hashed), so whoever pinned that key
/// knows under which name to look, and nobody else's writer can take a place there. Every kind of statement is anchored in
/// the same form; which algorithms a batch is of, its manifest says.
contract ConsortiumAnchor {
    enum Kind { Versions, Consents, Queries, Erasures, Audit }

    struct Batch {
        bytes32 id;
        Kind kind;
        bytes32 stream;
        bytes32 previous;
        bytes32 root;
        uint64 first;
        uint64 last;
        bytes manifest;
        bytes signature;
    }

    struct Anchor {
        bytes32 root;
        bytes32 content;
        bytes32 stream;
        bytes32 previous;
        uint64 first;
        uint64 last;
        uint64 blockNumber;
        Kind kind;
        address writer;
    }

    struct Head {
        bytes32 id;
        uint64 last;
    }

    error AlreadyAnchored(bytes32 id, bytes32 root, bytes32 content);
    error OutOfOrder(bytes32 stream, bytes32 head, uint64 last);
    error Malformed();
    error NotAdmin(address who);
    error NotWriter(address who);
    error LastAdmin();
    error IsPaused();

    /// The whole manifest is in the event, so a node's log is all that a member has to read.
    event Anchored(
        bytes32 indexed bureau, bytes32 indexed id, bytes32 indexed stream, bytes32 root, bytes manifest, bytes signature
    );
    event WriterSet(address indexed who, bytes32 indexed bureau, address indexed by);
    event AdminSet(address indexed who, bool granted, address indexed by);
    event PauseSet(bool paused, address indexed by);

    bool public paused;
    uint256 public admins;
    mapping(address => bool) public isAdmin;
    /// The bureau that an address writes for; zero: it may not write.
    mapping(address => bytes32) public bureauOf;
    /// The newest batch of a stream of a bureau.
    mapping(bytes32 => mapping(bytes32 => Head)) public heads;

    mapping(bytes32 => mapping(bytes32 => Anchor)) private anchors;
    mapping(bytes32 => bytes32[]) private ids;

    modifier onlyAdmin() {
        if (!isAdmin[msg.sender]) revert NotAdmin(msg.sender);
        _;
    }

    constructor() {
        isAdmin[msg.sender] = true;
        admins = 1;
        emit AdminSet(msg.sender, true, msg.sender);
    }

    /// Lets `who` write for `bureau`, or for nobody any more when that is zero.
    function setWriter(address who, bytes32 bureau) external onlyAdmin {
        bureauOf[who] = bureau;
        emit WriterSet(who, bureau, msg.sender);
    }

    /// There is always an admin: the last one cannot be taken away.
    function setAdmin(address who, bool granted) external onlyAdmin {
        if (isAdmin[who] == granted) return;
        if (!granted && admins == 1) revert LastAdmin();
        isAdmin[who] = granted;
        admins = granted ? admins + 1 : admins - 1;
        emit AdminSet(who, granted, msg.sender);
    }

    function setPaused(bool on) external onlyAdmin {
        paused = on;
        emit PauseSet(on, msg.sender);
    }

    /// Anchors a batch for the sender's bureau: once, and right behind the stream's batch before it.
    function anchor(Batch calldata b) external {
        if (paused) revert IsPaused();
        bytes32 bureau = bureauOf[msg.sender];
        if (bureau == 0) revert NotWriter(msg.sender);
        Anchor storage a = anchors[bureau][b.id];
        if (a.blockNumber != 0) revert AlreadyAnchored(b.id, a.root, a.content);
        if (b.id == 0 || b.manifest.length == 0 || b.last < b.first) revert Malformed();
        Head storage head = heads[bureau][b.stream];
        if (b.previous != head.id || b.first != head.last + 1) revert OutOfOrder(b.stream, head.id, head.last);
        a.root = b.root;
        a.content = keccak256(abi.encode(b));
        a.stream = b.stream;
        a.previous = b.previous;
        a.first = b.first;
        a.last = b.last;
        a.blockNumber = uint64(block.number);
        a.kind = b.kind;
        a.writer = msg.sender;
        head.id = b.id;
        head.last = b.last;
        ids[bureau].push(b.id);
        emit Anchored(bureau, b.id, b.stream, b.root, b.manifest, b.signature);
    }

    /// The anchor of a batch; its `blockNumber` is zero when there is none.
    function anchorOf(bytes32 bureau, bytes32 id) external view returns (Anchor memory) {
        return anchors[bureau][id];
    }

    /// How many batches a bureau has anchored.
    function count(bytes32 bureau) external view returns (uint256) {
        return ids[bureau].length;
    }

    /// Up to `size` batches of a bureau in the order of their anchoring, from the one numbered `from` (the first is 0) on.
    function page(bytes32 bureau, uint256 from, uint256 size)
        external view returns (bytes32[] memory found, uint64[] memory blocks)
    {
        bytes32[] storage all = ids[bureau];
        uint256 end = from >= all.length ? from : (size > all.length - from ? all.length : from + size);
        found = new bytes32[](end - from);
        blocks = new uint64[](end - from);
        for (uint256 i = from; i < end; i++) {
            found[i - from] = all[i];
            blocks[i - from] = anchors[bureau][all[i]].blockNumber;
        }
    }

    /// Whether an RFC 9162 path of SHA-256 leads from a leaf hash to the root of a tree (section 2.1.3.2). Of batches whose
    /// suite hashes with SM3 it proves nothing: there is no SM3 that every engine offers, so members verify those themselves.
    function verify(bytes32 leaf, uint256 index, uint256 size, bytes32[] calldata path, bytes32 root)
        external pure returns (bool)
    {
        if (index >= size) return false;
        uint256 fn = index;
        uint256 sn = size - 1;
        bytes32 r = leaf;
        for (uint256 i = 0; i < path.length; i++) {
            if (sn == 0) return false;
            if (fn & 1 == 1 || fn == sn) {
                r = sha256(abi.encodePacked(bytes1(0x01), path[i], r));
                while (fn & 1 == 0 && fn != 0) {
                    fn >>= 1;
                    sn >>= 1;
                }
            } else {
                r = sha256(abi.encodePacked(bytes1(0x01), r, path[i]));
            }
            fn >>= 1;
            sn >>= 1;
        }
        return sn == 0 && r == root;
    }
}
