<?php // PHP's SoapServer, as its manual starts it, behind CDYNE's description of a weather service.
class Weather
{
    public function GetWeatherInformation()
    {
        $rows = [];
        foreach (['晴', '多云', '雷阵雨'] as $number => $text) {
            $rows[] = ['WeatherID' => $number + 1, 'Description' => $text, 'PictureURL' => "http://example.invalid/$number.gif"];
        }
        return ['GetWeatherInformationResult' => ['WeatherDescription' => $rows]];
    }

    public function GetCityWeatherByZIP($asked)
    {
        throw new SoapFault('Server', "系统繁忙，请稍后再试：$asked->ZIP");
    }
}
ini_set('soap.wsdl_cache_enabled', '0');
$server = new SoapServer(getenv('WSDL'), ['cache_wsdl' => WSDL_CACHE_NONE]);
$server->setClass('Weather');
$server->handle();
