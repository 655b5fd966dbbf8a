//! Checks proofs of the state with the ics23 crate, which shares nothing with us but the format.
//!
//! Lines on stdin: root, key, value or "-", proof, all in hex. Each proof must pass, and none of
//! what is forged from it: another value or key, another root, a level dropped, doubled or
//! swapped, a claim of absence for what is there, single bytes changed.
use ics23::{
    calculate_existence_root, commitment_proof::Proof, smt_spec, verify_membership,
    verify_non_membership, CommitmentProof, ExistenceProof, HostFunctionsManager,
    NonExistenceProof,
};
use prost::Message;
use std::io::BufRead;

type Host = HostFunctionsManager;

#[derive(Default)]
struct Tally {
    there: u64,
    absent: u64,
    refused: u64,
    wrong: u64,
    bytes: [u64; 2],
}

fn passes(proof: &CommitmentProof, root: &[u8], key: &[u8], value: Option<&[u8]>) -> bool {
    let root = root.to_vec();
    match value {
        Some(value) => verify_membership::<Host>(proof, &smt_spec(), &root, key, value),
        None => verify_non_membership::<Host>(proof, &smt_spec(), &root, key),
    }
}

/// All ways in which one existence proof is changed.
fn forged(good: &ExistenceProof) -> Vec<ExistenceProof> {
    let mut list = Vec::new();
    for level in 0..good.path.len() {
        let mut dropped = good.clone();
        dropped.path.remove(level);
        list.push(dropped);
        let mut doubled = good.clone();
        doubled.path.insert(level, good.path[level].clone());
        list.push(doubled);
        if level > 0 && good.path[level] != good.path[level - 1] {
            let mut swapped = good.clone();
            swapped.path.swap(level, level - 1);
            list.push(swapped);
        }
    }
    list
}

/// The crate looks at the key it is asked about, never at the one that a proof of absence names.
fn same_claim(changed: &CommitmentProof, proof: &CommitmentProof) -> bool {
    match (&changed.proof, &proof.proof) {
        (Some(Proof::Nonexist(a)), Some(Proof::Nonexist(b))) => a.left == b.left && a.right == b.right,
        _ => changed == proof,
    }
}

/// Keys for which the proof shows nothing. One of absence shows it for a whole gap, so only the
/// neighbours, which are there, are surely others.
fn other_keys(proof: &CommitmentProof, key: &[u8]) -> Vec<Vec<u8>> {
    if let Some(Proof::Nonexist(absent)) = &proof.proof {
        return [&absent.left, &absent.right].into_iter().flatten().map(|p| p.key.clone()).collect();
    }
    let mut other = key.to_vec();
    other[0] ^= 1;
    vec![other]
}

fn wrap(proof: ExistenceProof) -> CommitmentProof {
    CommitmentProof { proof: Some(Proof::Exist(proof)) }
}

fn check(line: &str, last: &mut Option<ExistenceProof>, tally: &mut Tally) {
    let words: Vec<&str> = line.split_whitespace().collect();
    let root = hex::decode(words[0]).unwrap();
    let key = hex::decode(words[1]).unwrap();
    let value = (words[2] != "-").then(|| hex::decode(words[2]).unwrap());
    let bytes = hex::decode(words[3]).unwrap();
    let proof = CommitmentProof::decode(bytes.as_slice()).unwrap();
    let mut expect = |passed: bool, wanted: bool, what: &str| {
        if passed != wanted {
            println!("{what}: {line}");
            tally.wrong += 1;
        } else if !wanted {
            tally.refused += 1;
        }
    };
    expect(passes(&proof, &root, &key, value.as_deref()), true, "a good proof is refused");
    let mut other_root = root.clone();
    other_root[7] ^= 1;
    expect(passes(&proof, &other_root, &key, value.as_deref()), false, "another root passes");
    for other_key in other_keys(&proof, &key) {
        expect(passes(&proof, &root, &other_key, value.as_deref()), false, "another key passes");
    }
    for at in (0..bytes.len()).step_by(11) {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        if let Ok(changed) = CommitmentProof::decode(changed.as_slice()) {
            if !same_claim(&changed, &proof) {
                let passed = passes(&changed, &root, &key, value.as_deref());
                expect(passed, false, "a changed byte passes");
            }
        }
    }
    match &proof.proof {
        Some(Proof::Exist(good)) => {
            let mut other = value.clone().unwrap();
            other.push(1);
            expect(passes(&proof, &root, &key, Some(&other)), false, "another value passes");
            for bad in forged(good) {
                expect(passes(&wrap(bad), &root, &key, value.as_deref()), false, "a forged way");
            }
            for (left, right) in
                [(last.clone(), Some(good.clone())), (last.clone(), None), (None, Some(good.clone()))]
            {
                let absent = NonExistenceProof { key: key.clone(), left, right };
                let claim = CommitmentProof { proof: Some(Proof::Nonexist(absent)) };
                expect(passes(&claim, &root, &key, None), false, "absence of what is there");
            }
            let same = calculate_existence_root::<Host>(good).unwrap() == root;
            expect(same, true, "another root is computed");
            *last = Some(good.clone());
            tally.there += 1;
            tally.bytes[0] += bytes.len() as u64;
        }
        Some(Proof::Nonexist(good)) => {
            for side in [&good.left, &good.right].into_iter().flatten() {
                for bad in forged(side) {
                    let mut absent = good.clone();
                    if good.left.as_ref() == Some(side) {
                        absent.left = Some(bad);
                    } else {
                        absent.right = Some(bad);
                    }
                    let claim = CommitmentProof { proof: Some(Proof::Nonexist(absent)) };
                    expect(passes(&claim, &root, &key, None), false, "a forged neighbour");
                }
            }
            tally.absent += 1;
            tally.bytes[1] += bytes.len() as u64;
        }
        _ => expect(false, true, "no proof of one key"),
    }
}

fn main() {
    let mut tally = Tally::default();
    let mut last = None;
    for line in std::io::stdin().lock().lines() {
        check(&line.unwrap(), &mut last, &mut tally);
    }
    println!(
        "{} inclusions ({} bytes on average), {} exclusions ({} bytes), {} forgeries refused, {} wrong",
        tally.there,
        tally.bytes[0] / tally.there.max(1),
        tally.absent,
        tally.bytes[1] / tally.absent.max(1),
        tally.refused,
        tally.wrong
    );
    std::process::exit(i32::from(tally.wrong > 0 || tally.there == 0 || tally.absent == 0));
}
