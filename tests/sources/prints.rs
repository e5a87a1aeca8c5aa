//! What the report prints, as it has it, and what its scanner misread.

/// One unit: weights, bias, input, what comes in, what goes out.
pub const UNIT: &str = "
*** 重み ***
[[0.1]
 [0.2]]
*** バイアス ***
0.5
*** 入力 ***
[2 3]
*** 総入力 ***
[1.3]
*** 中間層出力 ***
[1.3]";

pub const RANDOM_UNIT: &str = "
*** 重み ***
[1 1]
*** バイアス ***
-3.0787283369301433
*** 入力 ***
[2 3]
*** 総入力 ***
1.9212716630698567
*** 中間層出力 ***
1.9212716630698567";

pub const SIGMOID_UNIT: &str = "
*** 重み ***
[3 3]
*** バイアス ***
-0.9937218440748694
*** 入力 ***
[2 3]
*** 緯入力 ***
14.00627815592513
*** 中間層出力 ***
0.9999991736760774";

/// The 2-3-4 network; its input, [1, 2], is not in the print.
pub const FORWARD: &str = "
##### ネットワークの初期化 #####
*** 重み1 ***
[[0.1 0.3 0.5]
 [0.2 0.4 0.6]]
*** 重み2 ***
[[0.1 0.4 0.7 1. ]
 [0.2 0.5 0.8 1.1]
 [0.3 0.6 0.9 1.2]]
*** バイアス1 ***
[0.1 0.2 0.3]
*** バイアス2 ***
[0.1 0.2 0.3 0.4]
##### 順伝播開始 #####
*** 総入力1 ***
[0.6 1.3 2. ]
*** 中間層出力1 ***
[0.6 1.3 2. ]
*** 総入力2 ***
[1.02 2.29 3.56 4.83]
*** 出力1 ***
[0.01602796 0.05707321 0.20322929 0.72366954]
出力合計: 1.0
*** 重みW1のshape ***
(2, 3)
*** 重みW2のshape ***
(3, 4)
##### 結果表示 #####
*** 出力 ***
[0.01602796 0.05707321 0.20322929 0.72366954]
*** 訓練データ ***
[0 0 0 1]
*** 誤差 ***
0.32342029336019423";

/// The 2-3-2 network, from its first total input on. Input [1, 5], label 1 and rate 0.01 are not in the print.
pub const BACKWARD: &str = "
***** 順伝播開始 *****
*** 入力1 ***
[[1.2 2.5 3.8]]
*** 中間層出力1 ***
[[1.2 2.5 3.8]]
*** 入力2 ***
[[1.88 4.21]]
*** 出力 ***
[[0.08708577 0.91293423]]
出力合計: 1.0
***** 誤差逆伝播開始 *****
*** 偏微分_dE/du2 ***
[[ 0.08708577 -0.08708577]]
*** 偏微分_dE/du2 ***
[[-0.02811973 -0.02811973 -0.02811973]]
*** 偏微分_重み1 ***
[[-0.02811973 -0.02811973 -0.02811973]
 [-0.13059888 -0.13059888 -0.13059888]]
*** 偏微分_重み2 ***
[[ 0.10447893 -0.10447893]
 [ 0.21788443 -0.21788443]
 [ 0.33084994 -0.33084994]]
*** 偏微分_バイアス1 ***
[-0.02811973 -0.02811973 -0.02811973]
*** 偏微分_バイアス2 ***
[ 0.08708577 -0.08708577]
***** 結果表示 *****
***** 更新後パラメータ *****
*** 重み1 ***
[[0.1002812 0.3002812 0.5002812 ]
 [0.20130599 0.40130599 0.80130599]]
*** 重み2 ***
[[0.09896521 0.40104479]
 [0.19782336 0.50217684]
 [0.2968915 0.8033085 ]]
*** バイアス1 ***
[0.1002812 0.2002812 0.3002812]
*** バイアス2 ***
[0.09912934 0.20087068]";

/// The parameters that [`BACKWARD`] starts from. The report shows 0.6 0.8 for 0.5 0.6 at the end of the last column of
/// both weights: with those the total inputs would end in 4.9 and 5.22.
pub const BEFORE: [&str; 4] = ["0.1 0.3 0.5  0.2 0.4 0.6", "0.1 0.2 0.3", "0.1 0.4  0.2 0.5  0.3 0.6", "0.1 0.2"];

/// What the report has, and what its page must have had: the scanner read 6 as 8, once 5 as 6. The report contradicts
/// itself in each: 1.88 is no 1.2·0.1 + 2.5·0.2 + 3.8·0.3 + 0.1, outputs 0.08708577 and 0.91293423 do not add up to the
/// 1.0 below them, 0.10447893 is 1.2 times 0.08706577, and so on down to the last line.
pub const MISREAD: &[(&str, &str)] = &[
    ("1.88", "1.86"),
    ("0.08708577", "0.08706577"),
    ("-0.08708577", "-0.08706577"),
    ("-0.02811973", "-0.02611973"),
    ("-0.13059888", "-0.13059866"),
    ("0.21788443", "0.21766443"),
    ("-0.21788443", "-0.21766443"),
    ("0.1002812", "0.1002612"),
    ("0.2002812", "0.2002612"),
    ("0.3002812", "0.3002612"),
    ("0.5002812", "0.5002612"),
    ("0.80130599", "0.60130599"),
    ("0.09896521", "0.09895521"),
    ("0.50217684", "0.50217664"),
    ("0.2968915", "0.2966915"),
    ("0.8033085", "0.6033085"),
    ("0.20087068", "0.20087066"),
];

/// `im2col` of two 4 × 4 images with a 3 × 3 filter: the images, then a row for each window.
pub const IM2COL: &str = "
===== input_data =====
[[[ [48.  2. 74. 50.]
   [60.  0. 56. 22.]
   [62. 44.  0. 95.]
   [70. 60. 21. 76.]]]

[[ [56. 96. 73. 30.]
   [80. 67. 13. 1.]
   [62. 24. 85. 17.]
   [69. 32. 60. 93.]]]]
=====
===== col =====
[[48.  2. 74. 60.  0. 56. 62. 44.  0.]
 [2. 74. 50.  0. 56. 22. 44.  0. 95.]
 [60.  0. 56. 62. 44.  0. 70. 60. 21.]
 [0. 56. 22. 44.  0. 95. 60. 21. 76.]
 [56. 96. 73. 80. 67. 13. 62. 24. 85.]
 [96. 73. 30. 67. 13. 1. 24. 85. 17.]
 [80. 67. 13. 62. 24. 85. 69. 32. 60.]
 [67. 13. 1. 24. 85. 17. 32. 60. 93.]]";

/// The same without the transpose: each place in the filter over all windows, cut into rows of nine regardless.
pub const IM2COL_UNTRANSPOSED: &str = "
=====
input_data =====
[[[14. 76. 97. 14.]
 [44. 48. 34. 61.]
 [ 2. 88.  9. 53.]
 [35. 91.  1. 31.]]]

[[[96. 41. 66. 64.]
 [56. 57. 67. 31.]
 [22. 75. 63. 49.]
 [ 9. 30. 23. 17.]]]]
=====
col =====
[[14. 76. 44. 48. 76. 97. 48. 34. 97.]
 [14. 34. 61. 44. 48. 2. 88. 48. 34.]
 [88. 9. 34. 61. 9. 53. 2. 88. 35.]
 [91. 88. 9. 91. 1. 9. 53. 1. 31.]
 [96. 41. 56. 57. 41. 66. 57. 67. 66.]
 [64. 67. 31. 56. 57. 22. 75. 57. 67.]
 [75. 63. 67. 31. 63. 49. 22. 75. 9.]
 [30. 75. 63. 30. 23. 63. 49. 23. 17.]]";

/// A slip is a digit read as a similar one, and needed only where the numbers say so ([`super::agree`]).
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn slips_are_similar_digits() {
    for (report, page) in MISREAD {
        assert_eq!(report.len(), page.len());
        let pairs = report.chars().zip(page.chars()).filter(|(a, b)| a != b);
        assert!(report != page && pairs.into_iter().all(|pair| pair == ('8', '6') || pair == ('6', '5')));
        assert!(BACKWARD.contains(report), "{report} is in no print");
    }
}

#[cfg(not(target_arch = "wasm32"))]
#[test]
fn the_prints_are_the_reports() {
    let Some(folder) = super::common::shared("sources") else { return };
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let report = files.into_iter().find(|file| file.file_name().unwrap().to_string_lossy().starts_with("003")).unwrap();
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let report = words(&std::fs::read_to_string(report).unwrap());
    for print in [UNIT, RANDOM_UNIT, SIGMOID_UNIT, FORWARD, BACKWARD, IM2COL, IM2COL_UNTRANSPOSED] {
        assert!(report.contains(&words(print)), "not in the report: {print}");
    }
}
